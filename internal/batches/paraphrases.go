package batches

import (
	"fmt"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/method"
)

// Paraphrases makes batches of captions, each with the embeddings of all captions of
// its photo. It is for one goroutine.
type Paraphrases struct {
	Groups     [][]string          // the captions of each photo
	Embeddings *dataset.Embeddings // of all captions, group by group
	Encode     func(caption string) []int
	Size       int // B
	Seed       uint64

	order  *dataset.Order
	place  []place // of each caption
	window window[paraphrase]
}

// place is where a caption stands.
type place struct {
	group, member int
	first         int // row of the group's first embedding
}

type paraphrase struct {
	embeddings [][]float32
	target     int
	caption    []int
}

// Batch returns the batch of an update.
func (p *Paraphrases) Batch(update int) (method.Paraphrases, error) {
	if p.order == nil {
		first := 0
		for i, group := range p.Groups {
			for j := range group {
				p.place = append(p.place, place{i, j, first})
			}
			first += len(group)
		}
		if n := p.Embeddings.Len(); n != len(p.place) {
			return method.Paraphrases{}, fmt.Errorf("%d embeddings for %d captions", n, len(p.place))
		}
		p.order = dataset.NewOrder(len(p.place), p.Seed)
	}
	var b method.Paraphrases
	for _, item := range p.window.batch(update, p.Size, p.Seed, p.paraphrase, func(p paraphrase) int { return len(p.caption) }) {
		b.Embeddings = append(b.Embeddings, item.embeddings)
		b.Targets = append(b.Targets, item.target)
		b.Captions = append(b.Captions, item.caption)
	}
	return b, nil
}

// paraphrase is the caption at a position of the order.
func (p *Paraphrases) paraphrase(position int) paraphrase {
	item, _ := p.order.Item(position)
	at := p.place[item]
	group := p.Groups[at.group]
	out := paraphrase{target: at.member, caption: p.Encode(group[at.member])}
	for j := range group {
		out.embeddings = append(out.embeddings, p.Embeddings.Row(at.first+j))
	}
	return out
}
