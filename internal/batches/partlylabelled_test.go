package batches_test

import (
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
)

// TestPartlyLabelled: a batch has captions with their own photos, and other photos, which
// come round in an order of their own.
func TestPartlyLabelled(t *testing.T) {
	embeddings := func(from, n int) *dataset.Embeddings {
		var rows [][]float32
		for i := range n {
			rows = append(rows, []float32{float32(from + i)})
		}
		e, err := dataset.NewEmbeddings(rows)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	source := batches.PartlyLabelled{
		Labelled: batches.Pairs{
			Records: []dataset.Record{{Captions: []string{"a"}}, {Captions: []string{"bb"}}}, Embeddings: embeddings(1, 2), Views: 1,
			Encode: func(s string) []int { return make([]int, len(s)) }, Size: 2,
		},
		Photos: embeddings(10, 5), Size: 3, Seed: 1,
	}
	seen := make(map[float32]int)
	for update := range 10 {
		b, err := source.Batch(update)
		if err != nil {
			t.Fatal(err)
		}
		for i, caption := range b.Captions {
			if int(b.Embeddings[i][0]) != len(caption) {
				t.Errorf("a caption of %d tokens is of photo %g", len(caption), b.Embeddings[i][0])
			}
		}
		for _, photo := range b.Photos {
			seen[photo[0]]++
		}
	}
	for photo := range 5 {
		if seen[float32(10+photo)] != 6 {
			t.Errorf("photos came round %v times, want 6 each", seen)
		}
	}
}
