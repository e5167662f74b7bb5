package dataset

import (
	"cmp"
	"fmt"
	"iter"
)

// Common returns the pairings of the same references, less the samples of images that
// one of them lacks, both in the order of a. They are valid until a and b are closed.
func Common(a, b *Pairing) (inA, inB *Pairing) {
	resultInB := make([]int32, a.references.Len()) // from 1
	for _, pair := range b.pairs {
		resultInB[pair.image] = pair.result + 1
	}
	inA, inB = &Pairing{}, &Pairing{}
	*inA, *inB = *a, *b
	inA.pairs, inB.pairs = nil, nil
	for _, p := range a.pairs {
		if result := resultInB[p.image]; result > 0 {
			inA.pairs = append(inA.pairs, p)
			inB.pairs = append(inB.pairs, pair{result - 1, p.image})
		}
	}
	return inA, inB
}

// Replace returns a pairing of the same images with other results, which come in the
// same order and under the same names, and the names of the results that they lack.
func (p *Pairing) Replace(results iter.Seq2[Record, error]) (replaced *Pairing, lacking Names, err error) {
	replaced = &Pairing{}
	*replaced = *p
	replaced.results, replaced.pairs = new(shelf), nil
	next := 0
	for r, err := range results {
		if err == nil {
			err = replaced.replace(r, p, &next, &lacking)
		}
		if err != nil {
			return nil, lacking, cmp.Or(err, replaced.Close())
		}
	}
	err = p.lack(len(p.pairs), &next, &lacking)
	return replaced, lacking, err
}

// replace finds the pair that a result takes the place of, from the next one on.
func (p *Pairing) replace(r Record, old *Pairing, next *int, lacking *Names) error {
	for i := *next; i < len(old.pairs); i++ {
		before, err := old.results.record(int(old.pairs[i].result))
		if err != nil {
			return err
		}
		if before.Image != r.Image {
			continue
		}
		p.pairs = append(p.pairs, pair{int32(p.results.len()), old.pairs[i].image})
		err = cmp.Or(old.lack(i, next, lacking), p.results.add(r))
		*next = i + 1
		return err
	}
	return fmt.Errorf("%q is no result to be replaced, or not in order", r.Image)
}

// lack adds the results from the next one up to the ith to those that are lacking.
func (p *Pairing) lack(i int, next *int, lacking *Names) error {
	for ; *next < i; *next++ {
		r, err := p.results.record(int(p.pairs[*next].result))
		if err != nil {
			return err
		}
		lacking.Add(r.Image)
	}
	return nil
}
