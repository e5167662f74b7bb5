// Package decode searches the texts of a language model: greedily, with a beam by
// ClipCap's rule, or by sampling. It knows the model as rows of logits and nothing
// more, so that every rule in it can be checked by brute force.
//
// Letters: B sequences, N texts of each (beams or samples), V vocabulary.
package decode

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
)

// LanguageModel is what search knows of a model: rows of logits, each V wide, which
// search only reads.
type LanguageModel interface {
	// Prefill returns the logits of the first token, one row per sequence.
	Prefill(ctx context.Context) (logits [][]float32, err error)
	// Next continues row parents[i] of the last logits with tokens[i] and returns
	// one row per i. A row may be continued more than once, or not at all.
	Next(ctx context.Context, tokens, parents []int) (logits [][]float32, err error)
}

// Normalized is a language model that knows the normalizers of its logits, which search
// otherwise computes.
type Normalized interface {
	// Normalizers returns log Σ exp(logit) of each row of the last logits.
	Normalizers() []float64
}

// Hypothesis is one text that search found.
type Hypothesis struct {
	Tokens   []int   `json:"tokens"`   // the stop token that ended it included
	LogProb  float64 `json:"log_prob"` // total, in nats, under the model's own softmax, whatever the temperature and the bans
	Score    float64 `json:"score"`    // LogProb per token, by which hypotheses are ordered
	Finished bool    `json:"finished"` // ended by a stop token, not by MaxLength or for want of an allowed token
}

// Search returns, for each of the model's sequences, the o.NBest best hypotheses,
// best first; fewer where a beam search finds no more. Sequences are independent: a
// batch gives what its singles give. Texts that ended cost the model nothing.
//
// Equal log-probabilities go to the lower token. Where the bans of o leave no token,
// the text ends there, unfinished.
//
// It returns ctx's error as soon as ctx is done, between two tokens at the latest,
// and an error where the model fails or a row of its logits is no distribution.
func Search(ctx context.Context, lm LanguageModel, o Options) ([][]Hypothesis, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	logits, err := lm.Prefill(ctx)
	if err != nil {
		return nil, fmt.Errorf("decode: prefix: %w", err)
	}
	if len(logits) == 0 {
		return nil, fmt.Errorf("decode: prefix: the model has no rows of logits")
	}
	s := newSearch(o, logits)
	s.model, _ = lm.(Normalized)
	for length := 1; ; length++ {
		if err := s.step(logits); err != nil {
			return nil, fmt.Errorf("decode: token %d: %w", length, err)
		}
		tokens, parents := s.continued()
		if length == o.MaxLength || len(tokens) == 0 {
			return s.hypotheses(), nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if logits, err = lm.Next(ctx, tokens, parents); err != nil {
			return nil, fmt.Errorf("decode: token %d: %w", length+1, err)
		}
		if len(logits) != len(tokens) {
			return nil, fmt.Errorf("decode: token %d: the model has %d rows of logits for %d tokens", length+1, len(logits), len(tokens))
		}
	}
}

// search is a batch of texts in the making, and the memory that its steps share.
type search struct {
	options     Options
	texts       [][]text // by sequence; beams are ordered, best first
	vocabulary  int
	model       Normalized // or nil
	normalizers []float64  // of the rows of the last logits
	banned      []int
	choices     []choice
	weights     []float64 // of the choices
}

func newSearch(o Options, logits [][]float32) *search {
	s := &search{options: o, texts: make([][]text, len(logits)), vocabulary: len(logits[0])}
	for i := range s.texts {
		s.texts[i] = []text{{row: i}}
		if o.Strategy == Sample {
			s.texts[i] = o.samples(i)
		}
	}
	return s
}

// step lengthens every text that has not ended by one token.
func (s *search) step(logits [][]float32) error {
	if err := s.normalize(logits); err != nil {
		return err
	}
	for i, texts := range s.texts {
		if s.options.Strategy == Sample {
			s.sample(texts, logits)
		} else {
			s.texts[i] = s.beam(texts, logits)
		}
	}
	return nil
}

// normalize finds the rows' normalizers, and refuses rows that have none. To compute them
// takes longer than all else that search does with a row, so that processors share the rows.
func (s *search) normalize(logits [][]float32) error {
	s.normalizers = make([]float64, len(logits))
	if s.model != nil {
		copy(s.normalizers, s.model.Normalizers())
	}
	failed := make([]error, len(logits))
	var rows sync.WaitGroup
	for i, row := range logits {
		switch {
		case len(row) != s.vocabulary:
			failed[i] = fmt.Errorf("row %d has %d logits, the first had %d", i, len(row), s.vocabulary)
		case s.model == nil || !finite(s.normalizers[i]): // which tells why
			rows.Go(func() {
				if s.normalizers[i], failed[i] = logSumExp(row); failed[i] != nil {
					failed[i] = fmt.Errorf("row %d: %w", i, failed[i])
				}
			})
		}
	}
	rows.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// continued returns the last tokens of the texts that go on and the rows that these
// tokens continue, and numbers the rows to come.
func (s *search) continued() (tokens, parents []int) {
	for _, texts := range s.texts {
		for i := range texts {
			t := &texts[i]
			if t.row == ended {
				continue
			}
			tokens = append(tokens, t.tokens[len(t.tokens)-1])
			parents = append(parents, t.row)
			t.row = len(tokens) - 1
		}
	}
	return tokens, parents
}

// hypotheses returns the best texts of each sequence in order.
func (s *search) hypotheses() [][]Hypothesis {
	found := make([][]Hypothesis, len(s.texts))
	for i, texts := range s.texts {
		slices.SortStableFunc(texts, func(a, b text) int { return descending(a.score(), b.score()) })
		for _, t := range texts[:min(s.options.NBest, len(texts))] {
			found[i] = append(found[i], Hypothesis{
				Tokens: t.tokens, LogProb: t.logProb, Score: t.score(), Finished: t.finished,
			})
		}
	}
	return found
}
