// Package evaluate scores captions over a set of images: each metric over the corpus
// with a bootstrap interval, and two systems against each other on the same images.
//
// Captions and references pass by in blocks, so their number is not bounded by memory;
// what each metric keeps is some numbers of each image.
package evaluate

import (
	"context"
	"errors"
	"iter"

	"github.com/cutline-go/cutline/metrics"
)

// blockSize is how many images are scored at once.
const blockSize = 4096

// Captions are what is to be scored.
type Captions struct {
	Images  int                      // how many there are
	Samples iter.Seq2[Sample, error] // yields them, the same whenever it is called
}

// InMemory are captions of which there are few.
func InMemory(samples []metrics.Sample) Captions {
	return Captions{len(samples), func(yield func(Sample, error) bool) {
		for _, s := range samples {
			if !yield(Sample{Sample: s}, nil) {
				return
			}
		}
	}}
}

// Sample is an image with a caption and references, and whatever further captions the
// same system gave to it.
type Sample struct {
	metrics.Sample
	More []string
}

// Block is some samples, as they were written and in tokens.
type Block struct {
	Samples []metrics.Sample
	More    [][]string
	Tokens  []metrics.Tokens
}

// Scorer computes scores from blocks that it is shown one after the other.
type Scorer interface {
	Add(ctx context.Context, b Block) error
	Scores(ctx context.Context) ([]Score, error) // after all blocks
	Close() error
}

// counting is a Scorer that has to see all references before it scores the first block.
type counting interface{ count(b Block) error }

// Pass is told how far a pass over the captions is: images done. It may be nil.
type Pass func(what string, images int)

// Run shows all captions to the scorers, which it closes, and returns their scores in
// the order of the scorers. No captions are an error: a mean of nothing would not be a
// number.
func Run(ctx context.Context, captions Captions, scorers []Scorer, pass Pass) (scores []Score, err error) {
	defer func() {
		for _, s := range scorers {
			err = errors.Join(err, s.Close())
		}
	}()
	if captions.Images == 0 {
		return nil, errors.New("no captions to score")
	}
	var counters []counting
	for _, s := range scorers {
		if c, ok := s.(counting); ok {
			counters = append(counters, c)
		}
	}
	if len(counters) > 0 {
		err := captions.blocks(ctx, "counting n-grams", pass, func(b Block) (err error) {
			for _, c := range counters {
				err = errors.Join(err, c.count(b))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	err = captions.blocks(ctx, "scoring", pass, func(b Block) error {
		for _, s := range scorers {
			if err := s.Add(ctx, b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, s := range scorers {
		more, err := s.Scores(ctx)
		if err != nil {
			return nil, err
		}
		scores = append(scores, more...)
	}
	return scores, nil
}

// blocks calls use with all samples, block by block.
func (c Captions) blocks(ctx context.Context, what string, pass Pass, use func(Block) error) error {
	var b Block
	done := 0
	full := func() error {
		if pass != nil {
			pass(what, done)
		}
		b.Tokens = metrics.TokenizeAll(b.Samples)
		err := errors.Join(ctx.Err(), use(b))
		done += len(b.Samples)
		b = Block{b.Samples[:0], b.More[:0], nil}
		return err
	}
	for sample, err := range c.Samples {
		if err != nil {
			return err
		}
		b.Samples, b.More = append(b.Samples, sample.Sample), append(b.More, sample.More)
		if len(b.Samples) == blockSize {
			if err := full(); err != nil {
				return err
			}
		}
	}
	if len(b.Samples) == 0 {
		return nil
	}
	return full()
}
