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
	window window[[]int]
}

// Batch returns the batch of an update.
func (t *Texts) Batch(update int) (method.Texts, error) {
	if t.order == nil {
		t.order = dataset.NewOrder(len(t.Sentences), t.Seed)
	}
	sentences := t.window.batch(update, t.Size, t.Seed, t.sentence, func(ids []int) int { return len(ids) })
	return method.Texts{Sentences: sentences}, nil
}

// sentence returns the sentence at a position of the order.
func (t *Texts) sentence(position int) []int {
	item, _ := t.order.Item(position)
	return t.Tokenizer.Encode(t.Sentences[item])
}

// Pairs makes batches of embeddings with one caption each. It is for one goroutine.
type Pairs struct {
	Records    []dataset.Record
	Embeddings *dataset.Embeddings // of each record, Views rows
	Views      int
	Move       func(row []float32) []float32 // returns a row elsewhere; nil: rows stay
	Noise      method.Noise                  // of the embeddings then; variance 0: none
	Encode     func(caption string) []int
	Size       int // B
	Seed       uint64

	order  *dataset.Order
	window window[pair]
}

// Sentences encodes captions as a language model learns them: as sentences.
func Sentences(t *tokenizer.BPE) func(caption string) []int {
	return func(caption string) []int { return t.Encode(dataset.Sentence(caption)) }
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
	var b method.Pairs
	for _, pair := range p.window.batch(update, p.Size, p.Seed, p.pair, func(p pair) int { return len(p.caption) }) {
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
	caption := captions[rng.IntN(len(captions))]
	embedding := p.Embeddings.Row(item*p.Views + rng.IntN(p.Views))
	if p.Move != nil {
		embedding = p.Move(embedding)
	}
	return pair{noisy(embedding, p.Noise, rng), p.Encode(caption)}
}
