package decode

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// HiddenModel is a language model that also shows its hidden states.
type HiddenModel interface {
	LanguageModel
	// Hidden returns the hidden states that the last logits were read from, a row each.
	Hidden() [][]float32
}

// Guide tells how well texts, as tokens, suit sequence i: cosines with a photo, say,
// times the scale of a softmax over them.
type Guide func(ctx context.Context, i int, texts [][]int) ([]float64, error)

// Contrast says how contrastive search (Su et al. 2022) and MAGIC's guided search (Su
// et al. 2022b, arXiv:2205.02655) choose the next token v, from the k most probable:
//
//	v = argmax (1−α)·p(v) − α·max_j cos(h_v, h_j) + β·f(v)
//
// h_j are the hidden states of all tokens before, the prompt's included, h_v that of v,
// and f is the softmax over the k of what a [Guide] says of the text with v.
type Contrast struct {
	K      int     `json:"k"`      // candidates, from 1; MAGIC: 45 on COCO, 25 on Flickr30k
	Alpha  float64 `json:"alpha"`  // weight of the degeneration penalty, 0 to 1; MAGIC: 0.1
	Beta   float64 `json:"beta"`   // weight of the guide, from 0; MAGIC: 2
	Length int     `json:"length"` // tokens at most, from 1; MAGIC: 15 on COCO, 19 on Flickr30k
	End    int     `json:"end"`    // the token that ends a text, and is not part of it
}

// Validate returns an error that names the first field, as in JSON, that makes no
// sense.
func (c Contrast) Validate() error {
	switch {
	case c.K < 1:
		return fmt.Errorf("decode: k is %d, want 1 or more", c.K)
	case !(c.Alpha >= 0 && c.Alpha <= 1):
		return fmt.Errorf("decode: alpha is %g, want 0 to 1", c.Alpha)
	case !(c.Beta >= 0) || math.IsInf(c.Beta, 0):
		return fmt.Errorf("decode: beta is %g, want 0 or more", c.Beta)
	case c.Length < 1:
		return fmt.Errorf("decode: length is %d, want 1 or more", c.Length)
	case c.End < 0:
		return fmt.Errorf("decode: end is %d, want an id from 0", c.End)
	}
	return nil
}

// contrasted is a text in the making.
type contrasted struct {
	text
	past [][]float32 // hidden states of the prompt and the tokens, of length 1
}

// SearchContrastive returns one hypothesis for each of the model's sequences, which
// begin with a prompt of one token. guide may be nil where Beta is 0. As in MAGIC's
// code a text runs to Length, and what follows the end token is cut off; here it is not
// searched for.
func SearchContrastive(ctx context.Context, lm HiddenModel, c Contrast, guide Guide) ([]Hypothesis, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	logits, err := lm.Prefill(ctx)
	if err != nil {
		return nil, fmt.Errorf("decode: prompt: %w", err)
	}
	texts := make([]contrasted, len(logits))
	for i, state := range lm.Hidden() {
		texts[i] = contrasted{text{row: i}, [][]float32{unit(state)}}
	}
	for length := 1; length <= c.Length; length++ {
		if logits, err = c.step(ctx, lm, texts, logits, guide); err != nil {
			return nil, fmt.Errorf("decode: token %d: %w", length, err)
		}
		if logits == nil {
			break
		}
	}
	found := make([]Hypothesis, len(texts))
	for i, t := range texts {
		found[i] = Hypothesis{Tokens: t.tokens, LogProb: t.logProb, Score: t.score(), Finished: t.finished}
	}
	return found, nil
}

// trial is a sequence's candidates for the next token.
type trial struct {
	text    *contrasted
	number  int // of the sequence
	choices []choice
	logProb []float64
	first   int // row of the first candidate
}

// step lengthens every text that has not ended, and returns the logits after the
// candidates, or nil where all have.
func (c Contrast) step(ctx context.Context, lm HiddenModel, texts []contrasted, logits [][]float32, guide Guide) ([][]float32, error) {
	var trials []trial
	var tokens, parents []int
	for i := range texts {
		t := &texts[i]
		if t.row == ended {
			continue
		}
		z, err := logSumExp(logits[t.row])
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", t.row, err)
		}
		tried := trial{text: t, number: i, first: len(tokens), choices: top(nil, logits[t.row], c.K, nil)}
		for _, choice := range tried.choices {
			tried.logProb = append(tried.logProb, float64(choice.logit)-z)
			tokens, parents = append(tokens, choice.token), append(parents, t.row)
		}
		trials = append(trials, tried)
	}
	if len(trials) == 0 {
		return nil, nil
	}
	next, err := lm.Next(ctx, tokens, parents)
	if err != nil {
		return nil, err
	}
	states := lm.Hidden()
	for _, tried := range trials {
		if err := c.choose(ctx, tried, states[tried.first:tried.first+len(tried.choices)], guide); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// choose extends a text by the best of its candidates, whose hidden states are given.
func (c Contrast) choose(ctx context.Context, tried trial, states [][]float32, guide Guide) error {
	t := tried.text
	suits, err := c.suits(ctx, tried, guide)
	if err != nil {
		return err
	}
	best, bestScore := 0, math.Inf(-1)
	for i, logProb := range tried.logProb {
		alike, state := math.Inf(-1), unit(states[i])
		for _, before := range t.past {
			alike = max(alike, dot(state, before))
		}
		score := (1-c.Alpha)*exp(logProb) - c.Alpha*alike + c.Beta*suits[i]
		if score > bestScore {
			best, bestScore = i, score
		}
	}
	t.row, t.logProb = tried.first+best, t.logProb+tried.logProb[best]
	if tried.choices[best].token == c.End {
		t.finished, t.row = true, ended
		return nil
	}
	t.tokens = append(t.tokens, tried.choices[best].token)
	t.past = append(t.past, unit(states[best]))
	return nil
}

// suits is f(v) of each candidate.
func (c Contrast) suits(ctx context.Context, tried trial, guide Guide) ([]float64, error) {
	out := make([]float64, len(tried.choices))
	if c.Beta == 0 {
		return out, nil
	}
	texts := make([][]int, len(tried.choices))
	for i, choice := range tried.choices {
		texts[i] = append(slices.Clip(tried.text.tokens), choice.token)
	}
	scores, err := guide(ctx, tried.number, texts)
	if err != nil {
		return nil, err
	}
	most, sum := slices.Max(scores), 0.0
	for i, score := range scores {
		out[i] = exp(score - most)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out, nil
}

func unit(x []float32) []float32 {
	norm := math.Sqrt(dot(x, x))
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(float64(v) / max(norm, 1e-12))
	}
	return out
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}
