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
	Embeddings [][][]float32 // of each record, one or more views of its photo
	Tokenizer  *tokenizer.BPE
	Size       int // B
	Seed       uint64

	order *dataset.Order
}

// Batch returns the batch of an update.
func (p *Pairs) Batch(update int) (method.Pairs, error) {
	if p.order == nil {
		if len(p.Embeddings) != len(p.Records) {
			return method.Pairs{}, fmt.Errorf("embeddings of %d photos for %d records", len(p.Embeddings), len(p.Records))
		}
		p.order = dataset.NewOrder(len(p.Records), p.Seed)
	}
	var b method.Pairs
	for i := range p.Size {
		position := update*p.Size + i
		item, _ := p.order.Item(position)
		rng := rand.New(rand.NewPCG(p.Seed+1, uint64(position)))
		views, captions := p.Embeddings[item], p.Records[item].Captions
		caption := dataset.Sentence(captions[rng.IntN(len(captions))])
		b.Embeddings = append(b.Embeddings, views[rng.IntN(len(views))])
		b.Captions = append(b.Captions, p.Tokenizer.Encode(caption))
	}
	return b, nil
}
