package batches_test

import (
	"slices"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
)

// TestParaphrases: in an epoch each caption comes once, with the embeddings of its own
// photo's captions, whatever its place in the order.
func TestParaphrases(t *testing.T) {
	groups := [][]string{{"a", "bb", "ccc"}, {"dddd"}, {"eeeee", "ffffff"}}
	var rows [][]float32
	for i := range 6 {
		rows = append(rows, []float32{float32(i), 1})
	}
	embeddings, err := dataset.NewEmbeddings(rows)
	if err != nil {
		t.Fatal(err)
	}
	p := batches.Paraphrases{Groups: groups, Embeddings: embeddings, Encode: func(s string) []int { return make([]int, len(s)) }, Size: 3, Seed: 1}
	seen := make(map[int]int) // caption lengths, which name them
	for update := range 64 {  // 32 epochs, as many as a window has whole
		b, err := p.Batch(update)
		if err != nil {
			t.Fatal(err)
		}
		for i, caption := range b.Captions {
			number := len(caption) - 1
			seen[number]++
			first := []int{0, 0, 0, 3, 4, 4}[number]
			count := []int{3, 3, 3, 1, 2, 2}[number]
			if b.Targets[i] != number-first || len(b.Embeddings[i]) != count {
				t.Fatalf("caption %d is number %d of %d", number, b.Targets[i], len(b.Embeddings[i]))
			}
			for j, row := range b.Embeddings[i] {
				if !slices.Equal(row, rows[first+j]) {
					t.Errorf("caption %d: embedding %d is %v, want %v", number, j, row, rows[first+j])
				}
			}
		}
	}
	for number := range 6 {
		if seen[number] != 32 {
			t.Errorf("caption %d came %d times, want 32", number, seen[number])
		}
	}
	p = batches.Paraphrases{Groups: groups[:1], Embeddings: embeddings, Size: 1}
	if _, err := p.Batch(0); err == nil {
		t.Error("embeddings of other captions are taken")
	}
}
