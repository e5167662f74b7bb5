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

	order  *dataset.Order
	window *window[[]int]
}

// Batch returns the batch of an update.
func (t *Texts) Batch(update int) (method.Texts, error) {
	if t.order == nil {
		t.order = dataset.NewOrder(len(t.Sentences), t.Seed)
	}
	if number := update / windowBatches; t.window == nil || t.window.number != number {
		sentences := make([][]int, windowBatches*t.Size)
		for i := range sentences {
			item, _ := t.order.Item(number*len(sentences) + i)
			sentences[i] = t.Tokenizer.Encode(t.Sentences[item])
		}
		t.window = newWindow(number, t.Size, t.Seed, sentences, func(ids []int) int { return len(ids) })
	}
	return method.Texts{Sentences: t.window.batches[update%windowBatches]}, nil
}

// Pairs makes batches of embeddings with one caption each. It is for one goroutine.
type Pairs struct {
	Records    []dataset.Record
	Embeddings *dataset.Embeddings // of each record, Views rows
	Views      int
	Tokenizer  *tokenizer.BPE
	Size       int // B
	Seed       uint64

	order  *dataset.Order
	window *window[pair]
}

// pair is one item of a batch.
type pair struct {
	embedding []float32
	caption   []int
}

// Batch returns the batch of an update.
func (p *Pairs) Batch(update int) (method.Pairs, error) {
	if p.order == nil {
		if n := p.Embeddings.Len(); n != len(p.Records)*p.Views {
			return method.Pairs{}, fmt.Errorf("%d embeddings for %d records with %d each", n, len(p.Records), p.Views)
		}
		p.order = dataset.NewOrder(len(p.Records), p.Seed)
	}
	if number := update / windowBatches; p.window == nil || p.window.number != number {
		pairs := make([]pair, windowBatches*p.Size)
		for i := range pairs {
			pairs[i] = p.pair(number*len(pairs) + i)
		}
		p.window = newWindow(number, p.Size, p.Seed, pairs, func(p pair) int { return len(p.caption) })
	}
	var b method.Pairs
	for _, pair := range p.window.batches[update%windowBatches] {
		b.Embeddings = append(b.Embeddings, pair.embedding)
		b.Captions = append(b.Captions, pair.caption)
	}
	return b, nil
}

// pair returns a view and a caption of the record at a position of the order.
func (p *Pairs) pair(position int) pair {
	item, _ := p.order.Item(position)
	rng := rand.New(rand.NewPCG(p.Seed+1, uint64(position)))
	captions := p.Records[item].Captions
	caption := dataset.Sentence(captions[rng.IntN(len(captions))])
	return pair{p.Embeddings.Row(item*p.Views + rng.IntN(p.Views)), p.Tokenizer.Encode(caption)}
}
