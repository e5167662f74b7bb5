package dataset

import (
	"hash/maphash"
	"iter"
)

// gathering joins what a file says of an image in several places.
type gathering struct {
	shelf
	seed  maphash.Seed
	known map[uint64]int32 // records by the hashes of what they are known by
}

func newGathering() *gathering {
	return &gathering{seed: maphash.MakeSeed(), known: make(map[uint64]int32)}
}

// find returns the latest record of a name.
func (g *gathering) find(name string) (i int, known bool) {
	found, known := g.known[maphash.String(g.seed, name)]
	return int(found), known
}

// begin puts a new record on the shelf, known by a name.
func (g *gathering) begin(name string, r Record) error {
	g.known[maphash.String(g.seed, name)] = int32(g.len())
	return g.add(r)
}

// gather joins the captions of an image where a record holds but one of them. The
// images keep the order in which they first came.
func gather(records iter.Seq2[Record, error]) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		g := newGathering()
		defer g.close() // nothing was kept that closing could lose
		for r, err := range records {
			if err == nil {
				err = g.take(r)
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
		}
		g.yieldAll(yield)
	}
}

func (g *gathering) take(r Record) error {
	if i, known := g.find(r.Image); known && len(r.Captions) == 1 {
		return g.extend(i, r)
	}
	return g.begin(r.Image, r)
}

// yieldAll yields the records, or those up to an error of the disk.
func (g *gathering) yieldAll(yield func(Record, error) bool) {
	for i := range g.len() {
		r, err := g.record(i)
		if !yield(r, err) || err != nil {
			return
		}
	}
}
