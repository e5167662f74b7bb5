package batches

import (
	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/method"
)

// PartlyLabelled makes batches of photos with captions and of photos without, each
// taken in an order of its own. It is for one goroutine.
type PartlyLabelled struct {
	Labelled Pairs
	Photos   *dataset.Embeddings // without captions
	Size     int                 // of these in a batch
	Seed     uint64

	order *dataset.Order
}

// Batch returns the batch of an update.
func (p *PartlyLabelled) Batch(update int) (b method.PartlyLabelled, err error) {
	if p.order == nil {
		p.order = dataset.NewOrder(p.Photos.Len(), p.Seed+4)
	}
	if b.Pairs, err = p.Labelled.Batch(update); err != nil {
		return b, err
	}
	for position := update * p.Size; position < (update+1)*p.Size; position++ {
		photo, _ := p.order.Item(position)
		b.Photos = append(b.Photos, p.Photos.Row(photo))
	}
	return b, nil
}
