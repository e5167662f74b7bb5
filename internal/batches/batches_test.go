package batches_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/tokenizer"
)

// album holds files in memory and counts how often each was opened.
type album struct {
	files  map[string][]byte
	opened map[string]int
}

func (a album) Open(name string) (io.ReadCloser, error) {
	a.opened[name]++
	data, ok := a.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

const count = 5 // records of the test's data set

// records returns photos of which each has a colour of its own, and two captions each.
func records(t *testing.T) ([]dataset.Record, album) {
	t.Helper()
	var list []dataset.Record
	a := album{make(map[string][]byte), make(map[string]int)}
	for i := range count {
		name := fmt.Sprintf("%d.png", i)
		photo := image.NewNRGBA(image.Rect(0, 0, 12, 9))
		for j := range photo.Pix {
			photo.Pix[j] = uint8(40 * i)
			if j%4 == 3 {
				photo.Pix[j] = 255
			}
		}
		a.files[name] = encode(t, photo)
		list = append(list, dataset.Record{
			Image: name, Captions: []string{fmt.Sprintf("photo %d .", i), fmt.Sprintf("picture %d", i)},
		})
	}
	return list, a
}

func train(t *testing.T, style tokenizer.Style) *tokenizer.BPE {
	t.Helper()
	bpe, err := tokenizer.Train(style, slices.Values([]string{"photo", "picture"}), 600)
	if err != nil {
		t.Fatal(err)
	}
	return bpe
}

// same holds that a batch is a function of the number of its update: a new source that
// is asked for update 7 alone, and out of order, gives what one gives that came there
// step by step; another seed gives another.
func same[B any](t *testing.T, source func(seed uint64) func(update int) (B, error)) {
	t.Helper()
	const updates = 8
	take := func(batch func(int) (B, error), update int) B {
		t.Helper()
		b, err := batch(update)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var walked []B
	walk := source(1)
	for update := range updates {
		walked = append(walked, take(walk, update))
	}
	if got := take(source(1), updates-1); !reflect.DeepEqual(got, walked[updates-1]) {
		t.Errorf("update %d alone is %v, after the others %v", updates-1, got, walked[updates-1])
	}
	jump := source(1)
	for _, update := range []int{5, 0, 7, 0, 3} {
		if got := take(jump, update); !reflect.DeepEqual(got, walked[update]) {
			t.Errorf("update %d out of order is %v, in order %v", update, got, walked[update])
		}
	}
	if reflect.DeepEqual(take(source(2), 0), walked[0]) {
		t.Error("another seed gives the same batch")
	}
	if reflect.DeepEqual(walked[0], walked[count]) {
		t.Error("an epoch later the batch is the same")
	}
}

func photos(t *testing.T) *batches.Photos {
	list, source := records(t)
	return &batches.Photos{
		Records: list, Source: source, Tokenizer: train(t, tokenizer.CLIP), Context: 12,
		Preprocess: imageproc.CLIP(8), Augment: batches.Augment{MinArea: 0.4, MaxAspect: 1.3, Flip: true},
		Size: 3, Seed: 1,
	}
}

func TestPhotosAreAFunctionOfTheUpdate(t *testing.T) {
	same(t, func(seed uint64) func(int) (method.Photos, error) {
		p := photos(t)
		p.Seed = seed
		return p.Batch
	})
}

// TestPhotos holds that a caption stands beside its photo, that an epoch has each photo
// once and opens it once, and that all captions have their turn.
func TestPhotos(t *testing.T) {
	p := photos(t)
	p.Augment = still()
	p.Size = count
	captions := make(map[string]int)
	for epoch := range 20 {
		b, err := p.Batch(epoch)
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[int]bool)
		for i, ids := range b.Captions {
			text := p.Tokenizer.Decode(intsOf(ids))
			captions[text]++
			item := recordOf(t, text)
			seen[item] = true
			if len(ids) != p.Context {
				t.Errorf("%d ids, want %d", len(ids), p.Context)
			}
			photo, err := batches.Decode(p.Source, p.Records[item].Image)
			if err != nil {
				t.Fatal(err)
			}
			if want := p.Preprocess.Tensor(photo); !slices.Equal(b.Pixels[i], want) {
				t.Errorf("%q stands beside another photo", text)
			}
		}
		if len(seen) != count || len(b.Pixels) != count {
			t.Errorf("epoch %d has %d photos, %d of them different", epoch, len(b.Pixels), len(seen))
		}
	}
	if len(captions) != 2*count {
		t.Errorf("%d captions of %d have had a turn: %v", len(captions), 2*count, captions)
	}
}

// TestPhotosVary holds that one photo is varied anew, with another caption, each time.
func TestPhotosVary(t *testing.T) {
	p := photos(t)
	p.Records, p.Size = p.Records[:1], 1
	p.Source.(album).files["0.png"] = gradient(t)
	const updates = 30
	variations, captions := make(map[string]bool), make(map[string]bool)
	for update := range updates {
		b, err := p.Batch(update)
		if err != nil {
			t.Fatal(err)
		}
		variations[fmt.Sprint(b.Pixels[0])] = true
		captions[fmt.Sprint(b.Captions[0])] = true
	}
	if len(variations) < updates*9/10 || len(captions) != 2 {
		t.Errorf("%d updates have %d variations and %d captions", updates, len(variations), len(captions))
	}
}

func gradient(t *testing.T) []byte {
	t.Helper()
	photo := image.NewGray(image.Rect(0, 0, 100, 80))
	for i := range photo.Pix {
		photo.Pix[i] = uint8(i%100 + i/100)
	}
	return encode(t, photo)
}

func encode(t *testing.T, photo image.Image) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, photo); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestPhotosAreDecodedOnce(t *testing.T) {
	p := photos(t)
	for update := range 10 {
		if _, err := p.Batch(update); err != nil {
			t.Fatal(err)
		}
	}
	for name, n := range p.Source.(album).opened {
		if n != 1 {
			t.Errorf("%s was opened %d times", name, n)
		}
	}
}

func TestPhotosErrors(t *testing.T) {
	p := photos(t)
	p.Source.(album).files["3.png"] = []byte("not a photo")
	if _, err := wholeEpoch(p); err == nil || !strings.HasPrefix(err.Error(), "3.png: ") {
		t.Errorf("a broken photo: %v", err)
	}
	p = photos(t)
	delete(p.Source.(album).files, "2.png")
	if _, err := wholeEpoch(p); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "2.png") {
		t.Errorf("a missing photo: %v", err)
	}
	p = photos(t)
	p.Context = 1
	if _, err := p.Batch(0); err == nil || !strings.Contains(err.Error(), ".png: context: length 1") {
		t.Errorf("no room for a caption: %v", err)
	}
	p = photos(t)
	p.Augment = batches.Augment{}
	if _, err := p.Batch(0); err == nil || !strings.Contains(err.Error(), "min_area") {
		t.Errorf("no augmentation to be done: %v", err)
	}
}

func wholeEpoch(p *batches.Photos) (method.Photos, error) {
	p.Size = count
	return p.Batch(0)
}

func TestTexts(t *testing.T) {
	sentences := []string{"photo 0", "photo 1", "photo 2", "photo 3", "photo 4"}
	bpe := train(t, tokenizer.GPT2)
	source := func(seed uint64) func(int) (method.Texts, error) {
		return (&batches.Texts{Sentences: sentences, Tokenizer: bpe, Size: 3, Seed: seed}).Batch
	}
	same(t, source)
	var texts []string
	for update := range count { // three epochs
		b, err := source(1)(update)
		if err != nil {
			t.Fatal(err)
		}
		for _, ids := range b.Sentences {
			texts = append(texts, bpe.Decode(ids))
		}
	}
	for epoch := range 3 {
		got := texts[count*epoch : count*(epoch+1)]
		slices.Sort(got)
		if !slices.Equal(got, sentences) {
			t.Errorf("epoch %d has %q", epoch, got)
		}
	}
}

// TestPairs holds that a caption, made a sentence, stands beside one view of its photo,
// and that all views and captions have their turn.
func TestPairs(t *testing.T) {
	const views = 3
	list, _ := records(t)
	embeddings := make([][][]float32, count)
	for i := range embeddings {
		for v := range views {
			embeddings[i] = append(embeddings[i], []float32{float32(i), float32(v)})
		}
	}
	bpe := train(t, tokenizer.GPT2)
	source := func(seed uint64) func(int) (method.Pairs, error) {
		return (&batches.Pairs{Records: list, Embeddings: embeddings, Tokenizer: bpe, Size: 4, Seed: seed}).Batch
	}
	same(t, source)
	turns := make(map[string]bool)
	batch := source(1)
	for update := range 100 {
		b, err := batch(update)
		if err != nil {
			t.Fatal(err)
		}
		for i, ids := range b.Captions {
			text := bpe.Decode(ids)
			item := int(b.Embeddings[i][0])
			if want := []string{fmt.Sprintf("Photo %d.", item), fmt.Sprintf("Picture %d.", item)}; !slices.Contains(want, text) {
				t.Errorf("photo %d has %q, want one of %q", item, text, want)
			}
			turns[fmt.Sprint(text, b.Embeddings[i])] = true
		}
	}
	if want := count * views * 2; len(turns) != want {
		t.Errorf("%d pairs of %d have had a turn", len(turns), want)
	}
	short := &batches.Pairs{Records: list, Embeddings: embeddings[1:], Tokenizer: bpe, Size: 4}
	if _, err := short.Batch(0); err == nil || !strings.Contains(err.Error(), "embeddings of 4 photos for 5 records") {
		t.Errorf("a photo without embeddings: %v", err)
	}
}

// recordOf finds the record in whose captions the tokenizer's text is.
func recordOf(t *testing.T, text string) int {
	t.Helper()
	for i := range count {
		if strings.Contains(text, fmt.Sprint(i)) {
			return i
		}
	}
	t.Fatalf("no record has the caption %q", text)
	return 0
}

func intsOf(ids []int32) []int {
	out := make([]int, len(ids))
	for i, id := range ids {
		out[i] = int(id)
	}
	return out
}
