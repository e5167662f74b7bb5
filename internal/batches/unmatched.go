package batches

import (
	"fmt"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/method"
)

// Unmatched makes batches of photos and of sentences that are not theirs, each taken in
// an order of its own. It is for one goroutine.
type Unmatched struct {
	Photos    *dataset.Embeddings
	Targets   *dataset.Embeddings // of each photo, what the sentences hold around it
	Sentences []string
	Size      int // B
	PerPhoto  int // sentences
	Seed      uint64

	photos, sentences *dataset.Order
}

// Batch returns the batch of an update.
func (u *Unmatched) Batch(update int) (method.Unmatched, error) {
	if u.photos == nil {
		if u.Photos.Len() != u.Targets.Len() {
			return method.Unmatched{}, fmt.Errorf("%d targets for %d photos", u.Targets.Len(), u.Photos.Len())
		}
		u.photos, u.sentences = dataset.NewOrder(u.Photos.Len(), u.Seed), dataset.NewOrder(len(u.Sentences), u.Seed+1)
	}
	var b method.Unmatched
	for position := update * u.Size; position < (update+1)*u.Size; position++ {
		photo, _ := u.photos.Item(position)
		b.Photos = append(b.Photos, u.Photos.Row(photo))
		b.Targets = append(b.Targets, u.Targets.Row(photo))
	}
	for position := update * u.Size * u.PerPhoto; position < (update+1)*u.Size*u.PerPhoto; position++ {
		sentence, _ := u.sentences.Item(position)
		b.Sentences = append(b.Sentences, u.Sentences[sentence])
	}
	return b, nil
}
