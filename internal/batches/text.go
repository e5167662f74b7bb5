package batches

import (
	"fmt"
	"math/rand/v2"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/tokenizer"
)

// Texts makes batches of sentences. It is for one goroutine.
type Texts struct {
	Sentences []string
	Tokenizer *tokenizer.BPE
	Size      int // B
	Seed      uint64

	order *dataset.Order
}

// Batch returns the batch of an update.
func (t *Texts) Batch(update int) (method.Texts, error) {
	if t.order == nil {
		t.order = dataset.NewOrder(len(t.Sentences), t.Seed)
	}
	var b method.Texts
	for i := range t.Size {
		item, _ := t.order.Item(update*t.Size + i)
		b.Sentences = append(b.Sentences, t.Tokenizer.Encode(t.Sentences[item]))
	}
	return b, nil
}

// Pairs makes batches of embeddings with one caption each. It is for one goroutine.
type Pairs struct {
	Records    []dataset.Record
	Embeddings *dataset.Embeddings // of each record, Views rows
	Views      int
	Tokenizer  *tokenizer.BPE
	Size       int // B
	Seed       uint64

	order *dataset.Order
}

// Batch returns the batch of an update.
func (p *Pairs) Batch(update int) (method.Pairs, error) {
	if p.order == nil {
		if n := p.Embeddings.Len(); n != len(p.Records)*p.Views {
			return method.Pairs{}, fmt.Errorf("%d embeddings for %d records with %d each", n, len(p.Records), p.Views)
		}
		p.order = dataset.NewOrder(len(p.Records), p.Seed)
	}
	var b method.Pairs
	for i := range p.Size {
		position := update*p.Size + i
		item, _ := p.order.Item(position)
		rng := rand.New(rand.NewPCG(p.Seed+1, uint64(position)))
		captions := p.Records[item].Captions
		caption := dataset.Sentence(captions[rng.IntN(len(captions))])
		b.Embeddings = append(b.Embeddings, p.Embeddings.Row(item*p.Views+rng.IntN(p.Views)))
		b.Captions = append(b.Captions, p.Tokenizer.Encode(caption))
	}
	return b, nil
}
