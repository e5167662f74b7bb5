package batches_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"reflect"
	"slices"
	"testing"

	"github.com/cutline-go/cutline/dataset"
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

func encode(t *testing.T, photo image.Image) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, photo); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
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
