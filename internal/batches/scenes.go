package batches

import (
	"math/rand/v2"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/method"
)

// Scenes makes batches of photos alone, each by one of its embeddings.
type Scenes struct {
	Embeddings *dataset.Embeddings // of each photo, Views rows
	Views      int
	Noise      method.Noise // of the embeddings; variance 0: none
	Size       int          // B
	Seed       uint64

	order *dataset.Order
}

// Batch returns the batch of an update.
func (s *Scenes) Batch(update int) (method.Scenes, error) {
	if s.order == nil {
		s.order = dataset.NewOrder(s.Embeddings.Len()/s.Views, s.Seed)
	}
	var b method.Scenes
	for position := update * s.Size; position < (update+1)*s.Size; position++ {
		photo, _ := s.order.Item(position)
		rng := rand.New(rand.NewPCG(s.Seed+1, uint64(position)))
		b.Photos = append(b.Photos, photo)
		b.Embeddings = append(b.Embeddings, noisy(s.Embeddings.Row(photo*s.Views+rng.IntN(s.Views)), s.Noise, rng))
	}
	return b, nil
}
