package batches

import (
	"math/rand/v2"
	"slices"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/method"
)

// Prompt is how a text may begin.
type Prompt struct {
	Tokens []int
	Weight float64 // that it is drawn by, more than 0
}

// Prompted makes batches of photos, each with a prompt. It is for one goroutine.
type Prompted struct {
	Photos  *dataset.Embeddings
	Prompts []Prompt
	Size    int // B
	Seed    uint64

	order *dataset.Order
	sums  []float64 // of the weights up to each prompt
}

// Batch returns the batch of an update.
func (p *Prompted) Batch(update int) (method.Prompted, error) {
	if p.order == nil {
		p.order = dataset.NewOrder(p.Photos.Len(), p.Seed)
		sum := 0.0
		for _, prompt := range p.Prompts {
			sum += prompt.Weight
			p.sums = append(p.sums, sum)
		}
	}
	var b method.Prompted
	for position := update * p.Size; position < (update+1)*p.Size; position++ {
		photo, _ := p.order.Item(position)
		rng := rand.New(rand.NewPCG(p.Seed+1, uint64(position)))
		i, _ := slices.BinarySearch(p.sums, rng.Float64()*p.sums[len(p.sums)-1])
		b.Photos = append(b.Photos, p.Photos.Row(photo))
		b.Prompts = append(b.Prompts, p.Prompts[min(i, len(p.sums)-1)].Tokens)
	}
	return b, nil
}
