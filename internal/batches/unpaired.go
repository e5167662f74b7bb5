package batches

import (
	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/method"
)

// Unpaired makes batches of as many photos as texts, by their embeddings, each taken in
// an order of its own. It is for one goroutine.
type Unpaired struct {
	Photos, Texts *dataset.Embeddings
	Size          int // B, of either
	Seed          uint64

	photos, texts *dataset.Order
}

// Batch returns the batch of an update.
func (u *Unpaired) Batch(update int) (method.Unpaired, error) {
	if u.photos == nil {
		u.photos, u.texts = dataset.NewOrder(u.Photos.Len(), u.Seed), dataset.NewOrder(u.Texts.Len(), u.Seed+1)
	}
	var b method.Unpaired
	for position := update * u.Size; position < (update+1)*u.Size; position++ {
		photo, _ := u.photos.Item(position)
		text, _ := u.texts.Item(position)
		b.Photos = append(b.Photos, u.Photos.Row(photo))
		b.Texts = append(b.Texts, u.Texts.Row(text))
	}
	return b, nil
}
