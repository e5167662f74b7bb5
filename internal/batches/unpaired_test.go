package batches_test

import (
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
)

// TestUnpaired: photos and texts come round as often as each other, in orders that do
// not belong together, and a batch is a function of its update.
func TestUnpaired(t *testing.T) {
	rows := func(n int) *dataset.Embeddings {
		var list [][]float32
		for i := range n {
			list = append(list, []float32{float32(i)})
		}
		e, err := dataset.NewEmbeddings(list)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	source := batches.Unpaired{Photos: rows(8), Texts: rows(8), Size: 4, Seed: 1}
	photos, texts, together := map[float32]int{}, map[float32]int{}, 0
	for update := range 20 {
		b, err := source.Batch(update)
		if err != nil {
			t.Fatal(err)
		}
		for i, photo := range b.Photos {
			photos[photo[0]]++
			texts[b.Texts[i][0]]++
			if photo[0] == b.Texts[i][0] {
				together++
			}
		}
	}
	for i := range 8 {
		if photos[float32(i)] != 10 || texts[float32(i)] != 10 {
			t.Errorf("row %d came %d times as a photo and %d as a text, want 10", i, photos[float32(i)], texts[float32(i)])
		}
	}
	if together > 30 {
		t.Errorf("%d of 80 photos came with the text of their number", together)
	}
	again := batches.Unpaired{Photos: rows(8), Texts: rows(8), Size: 4, Seed: 1}
	want, _ := source.Batch(7)
	got, err := again.Batch(7)
	if err != nil || got.Photos[2][0] != want.Photos[2][0] || got.Texts[1][0] != want.Texts[1][0] {
		t.Errorf("update 7 gives %v, after others it gave %v", got, want)
	}
}
