package batches_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
)

// TestUnmatched: every photo comes once an epoch with the target of its own, every
// sentence once an epoch of its own, and a batch is a function of its number.
func TestUnmatched(t *testing.T) {
	const photos, sentences, size, perPhoto = 6, 9, 3, 2
	var rows, targets [][]float32
	for i := range photos {
		rows, targets = append(rows, []float32{float32(i), 0}), append(targets, []float32{0, float32(i)})
	}
	var texts []string
	for i := range sentences {
		texts = append(texts, fmt.Sprint(i))
	}
	source := func() *batches.Unmatched {
		return &batches.Unmatched{Photos: embeddings(t, rows), Targets: embeddings(t, targets), Sentences: texts, Size: size, PerPhoto: perPhoto, Seed: 4}
	}
	u := source()
	var seen []float32
	var read []string
	for update := range 6 {
		b, err := u.Batch(update)
		if err != nil {
			t.Fatal(err)
		}
		for i, photo := range b.Photos {
			if photo[0] != b.Targets[i][1] {
				t.Errorf("photo %v with the target %v", photo, b.Targets[i])
			}
			seen = append(seen, photo[0])
		}
		if len(b.Sentences) != size*perPhoto {
			t.Fatalf("%d sentences", len(b.Sentences))
		}
		read = append(read, b.Sentences...)
		if again, err := source().Batch(update); err != nil || !slices.Equal(again.Sentences, b.Sentences) || again.Photos[0][0] != b.Photos[0][0] {
			t.Errorf("update %d alone has another batch: %v", update, err)
		}
	}
	for epoch := range slices.Chunk(seen, photos) {
		if different(epoch) != photos {
			t.Errorf("an epoch of photos is %v", epoch)
		}
	}
	for epoch := range slices.Chunk(read, sentences) {
		if different(epoch) != sentences {
			t.Errorf("an epoch of sentences is %v", epoch)
		}
	}
	u = source()
	u.Targets = embeddings(t, targets[1:])
	if _, err := u.Batch(0); err == nil {
		t.Error("a target too few is taken")
	}
}

func embeddings(t *testing.T, rows [][]float32) *dataset.Embeddings {
	t.Helper()
	e, err := dataset.NewEmbeddings(rows)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func different[T comparable](list []T) int {
	seen := make(map[T]bool)
	for _, x := range list {
		seen[x] = true
	}
	return len(seen)
}
