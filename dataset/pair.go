package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
)

// Sample is an image with the captions that are scored, mostly one, and those that
// they are scored against.
type Sample struct {
	Image      string // as the references name it
	Candidates []string
	References []string
	Domain     string // see [Record]
}

// Pairing is the results that have references, and what is odd about the others. Like
// [References] it holds texts in a temporary file.
type Pairing struct {
	By string // how names were compared: "whole name" … "number"

	DuplicateResults  Names // the image has a result already, which is kept
	MissingReferences Names // results without a reference, not scored
	MissingResults    Names // images with references but no result, not scored
	Ambiguous         Names // results whose name fits several images, not scored
	EmptyResults      Names // there is no caption but white space; scored as it is

	references *References
	results    *shelf
	pairs      []pair
}

// pair is a result and the image that it is of.
type pair struct{ result, image int32 }

// Pair finds the references of each result. Names are compared whole; if no result
// is found so, without folders; then without folders and extension; then by the
// number at their end, without leading zeros, so that COCO's image_id 391895 is
// COCO_val2014_000000391895.jpg. An image's ID counts as its name. One rule holds
// for all results. It is an error if no result has references by any. The pairing is
// to be closed before the references.
func (r *References) Pair(results iter.Seq2[Record, error]) (*Pairing, error) {
	p := &Pairing{references: r, results: new(shelf)}
	if err := p.pair(results); err != nil {
		return nil, cmp.Or(err, p.Close())
	}
	return p, nil
}

func (p *Pairing) pair(results iter.Seq2[Record, error]) error {
	for result, err := range results {
		if err == nil {
			err = p.results.add(result)
		}
		if err != nil {
			return err
		}
	}
	if p.results.len() == 0 || p.references.Len() == 0 {
		return errors.New("there are no results, or no references")
	}
	matches, by, err := p.references.match(p.results)
	if err == nil {
		p.By = by
		err = p.addAll(matches)
	}
	if err == nil && len(p.pairs) == 0 {
		result, _ := p.results.record(0) // which was read already
		image, _ := p.references.images.record(0)
		err = fmt.Errorf("no result has references: results have images like %.80q, references like %.80q",
			result.Image, image.Image)
	}
	return err
}

// addAll adds a pair for each result that has references, and its name to those that
// something is odd about.
func (p *Pairing) addAll(matches []int32) error {
	silent := p.references.silent
	scored := make([]bool, len(silent))
	err := p.results.each(func(i int, r Record) error {
		switch image := matches[i]; {
		case image == ambiguous:
			p.Ambiguous.Add(r.Image)
		case image == unknown || silent[image]:
			p.MissingReferences.Add(r.Image)
		case scored[image]:
			p.DuplicateResults.Add(r.Image)
		default:
			scored[image] = true
			if len(nonempty(r.Captions)) == 0 {
				p.EmptyResults.Add(r.Image)
			}
			p.pairs = append(p.pairs, pair{int32(i), image})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.references.images.each(func(i int, r Record) error {
		if !scored[i] && !silent[i] {
			p.MissingResults.Add(r.Image)
		}
		return nil
	})
}

// Len returns the number of samples.
func (p *Pairing) Len() int { return len(p.pairs) }

// Samples yields the samples in the order of the results, as often as it is called for,
// but not twice at once.
func (p *Pairing) Samples() iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		for _, pair := range p.pairs {
			sample, err := p.sample(pair)
			if !yield(sample, err) || err != nil {
				return
			}
		}
	}
}

func (p *Pairing) sample(pair pair) (Sample, error) {
	result, err := p.results.record(int(pair.result))
	if err != nil {
		return Sample{}, err
	}
	image, err := p.references.images.record(int(pair.image))
	return Sample{image.Image, result.Captions, image.Captions, image.Domain}, err
}

// Close frees the disk that the results take.
func (p *Pairing) Close() error { return p.results.close() }
