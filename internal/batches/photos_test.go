package batches_test

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/tokenizer"
)

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

// TestPhotos holds that a caption stands beside its photo, for CLIP and for the language
// model, and that all photos and captions have their turn.
func TestPhotos(t *testing.T) {
	p := photos(t)
	p.Augment = still()
	p.Size = count
	p.Captions = train(t, tokenizer.GPT2)
	captions, turns := make(map[string]int), make(map[int]int)
	for update := range windows {
		b, err := p.Batch(update)
		if err != nil {
			t.Fatal(err)
		}
		for i, ids := range b.Texts {
			text := p.Tokenizer.Decode(intsOf(ids))
			captions[text]++
			item := recordOf(t, text)
			turns[item]++
			if said := strings.ToLower(p.Captions.Decode(b.Captions[i])); recordOf(t, said) != item {
				t.Errorf("CLIP reads %q, the language model says %q", text, said)
			}
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
	}
	for item := range count {
		if turns[item] != windows {
			t.Errorf("photo %d has had %d turns, want %d", item, turns[item], windows)
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
		captions[fmt.Sprint(b.Texts[0])] = true
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

// TestPhotosWords holds that a photo's words are those of all its captions, once each caption,
// and that batches are mixed by shares of their own up to the largest.
func TestPhotosWords(t *testing.T) {
	p := photos(t)
	p.Words, p.Mix = true, 0.4
	shares := make(map[float32]bool)
	for update := range 20 {
		b, err := p.Batch(update)
		if err != nil {
			t.Fatal(err)
		}
		for i, ids := range b.Texts {
			want := make(map[int32]int)
			for _, caption := range p.Records[recordOf(t, p.Tokenizer.Decode(intsOf(ids)))].Captions {
				said := make(map[int32]bool)
				for _, id := range p.Tokenizer.Encode(caption) {
					said[int32(id)] = true
				}
				for id := range said {
					want[id]++
				}
			}
			got := make(map[int32]int)
			for _, id := range b.Words[i] {
				got[id]++
			}
			if !maps.Equal(got, want) {
				t.Errorf("tokens and their captions are %v, want %v", got, want)
			}
		}
		if b.Mix < 0 || b.Mix > 0.4 {
			t.Errorf("a share of %g, want up to 0.4", b.Mix)
		}
		shares[b.Mix] = true
	}
	if len(shares) < 19 {
		t.Errorf("20 batches have %d shares", len(shares))
	}
	once := batches.Words(p.Tokenizer, p.Records[0].Captions[:1])
	if twice := batches.Words(p.Tokenizer, []string{p.Records[0].Captions[0] + " " + p.Records[0].Captions[0]}); !slices.Equal(once, twice) {
		t.Errorf("a caption that says all twice has tokens %v, want %v", twice, once)
	}
}
