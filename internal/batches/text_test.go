package batches_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/tokenizer"
)

func TestTexts(t *testing.T) {
	sentences := []string{"photo 0", "photo 1", "photo 2", "photo 3", "photo 4"}
	bpe := train(t, tokenizer.GPT2)
	source := func(seed uint64) func(int) (method.Texts, error) {
		return (&batches.Texts{Sentences: sentences, Tokenizer: bpe, Size: 3, Seed: seed}).Batch
	}
	same(t, source)
	turns := make(map[string]int)
	batch := source(1)
	for update := range windows * count {
		b, err := batch(update)
		if err != nil {
			t.Fatal(err)
		}
		for _, ids := range b.Sentences {
			turns[bpe.Decode(ids)]++
		}
	}
	for _, sentence := range sentences {
		if turns[sentence] != windows*3 {
			t.Errorf("%q has had %d turns, want %d", sentence, turns[sentence], windows*3)
		}
	}
}

// windows is the number of batches that share out their captions by length: the
// first multiple of it and of the records ends an epoch.
const windows = 32

// TestTextsAlike holds that the sentences of a batch are alike in length, and that
// short batches do not all come first.
func TestTextsAlike(t *testing.T) {
	var sentences []string
	for i := range 640 {
		sentences = append(sentences, strings.Repeat("photo", 1+i%20))
	}
	source := &batches.Texts{Sentences: sentences, Tokenizer: train(t, tokenizer.GPT2), Size: 20, Seed: 1}
	var lengths []int
	for update := range windows {
		b, err := source.Batch(update)
		if err != nil {
			t.Fatal(err)
		}
		shortest, longest := math.MaxInt, 0
		for _, ids := range b.Sentences {
			shortest, longest = min(shortest, len(ids)), max(longest, len(ids))
		}
		if longest-shortest > len("photo") { // a token a byte

			t.Errorf("batch %d has sentences of %d to %d tokens", update, shortest, longest)
		}
		lengths = append(lengths, longest)
	}
	if slices.IsSorted(lengths) {
		t.Errorf("the batches come by length: %v", lengths)
	}
}

// TestPairs holds that a caption, made a sentence, stands beside one view of its photo,
// and that all views and captions have their turn.
func TestPairs(t *testing.T) {
	const views = 3
	list, _ := records(t)
	var rows [][]float32
	for i := range count {
		for v := range views {
			rows = append(rows, []float32{float32(i), float32(v)})
		}
	}
	embeddings, err := dataset.NewEmbeddings(rows)
	if err != nil {
		t.Fatal(err)
	}
	bpe := train(t, tokenizer.GPT2)
	source := func(seed uint64) func(int) (method.Pairs, error) {
		return (&batches.Pairs{Records: list, Embeddings: embeddings, Views: views, Encode: batches.Sentences(bpe), Size: 4, Seed: seed}).Batch
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
	short := &batches.Pairs{Records: list, Embeddings: embeddings, Views: 2, Encode: batches.Sentences(bpe), Size: 4}
	if _, err := short.Batch(0); err == nil || !strings.Contains(err.Error(), "15 embeddings for 5 records with 2 each") {
		t.Errorf("a photo without embeddings: %v", err)
	}
}
