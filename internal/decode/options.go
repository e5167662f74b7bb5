package decode

import (
	"fmt"
	"math"
)

// Strategy is how tokens are chosen.
type Strategy string

// The strategies.
const (
	Greedy Strategy = "greedy" // the most probable token, always
	Beam   Strategy = "beam"   // the texts of the greatest log-probability per token, by ClipCap's rule
	Sample Strategy = "sample" // tokens drawn from the model's distribution
)

// Options say how to search. Lengths count tokens.
type Options struct {
	Strategy Strategy `json:"strategy"`

	// Beam alone reads Beams.
	Beams int `json:"beams"` // texts kept per sequence, from 1; ClipCap: 5

	// Sample alone reads these. TopP applies after TopK, and both after Temperature.
	Temperature float64 `json:"temperature"` // divides the logits; above 0, 1 leaves them as they are
	TopK        int     `json:"top_k"`       // draw from so many of the most probable tokens; 0 for all
	TopP        float64 `json:"top_p"`       // draw from the fewest most probable tokens that hold this share of the probability, in (0, 1]; 1 for all
	Seed        uint64  `json:"seed"`        // sequence i of a batch draws what a single draws with Seed + i

	MinLength     int   `json:"min_length"`      // tokens before a stop token may come
	MaxLength     int   `json:"max_length"`      // tokens at most, the stop token included; from 1, ClipCap: 67
	NoRepeatNgram int   `json:"no_repeat_ngram"` // no n-gram of this length comes twice in a text; 0 for no such rule
	StopTokens    []int `json:"stop_tokens"`     // ids that end a text, of which they are part; ClipCap: 13, CapDec's greedy search also 764
	NBest         int   `json:"n_best"`          // hypotheses per sequence, from 1; up to Beams for Beam, the number of draws for Sample
}

// PaperGreedy is the greedy search of ClipCap's code: up to 67 tokens, ended by
// GPT-2's full stop. Its top-p filter leaves the most probable token in place, and is
// left out.
func PaperGreedy() Options {
	return Options{
		Strategy: Greedy, Beams: 1,
		Temperature: 1, TopP: 1,
		MaxLength: 67, StopTokens: []int{13}, NBest: 1,
	}
}

// PaperBeam is the beam search of ClipCap's code: five beams, else as [PaperGreedy].
func PaperBeam() Options {
	o := PaperGreedy()
	o.Strategy, o.Beams = Beam, 5
	return o
}

// Validate returns an error that names the first field, as in JSON, that makes no
// sense. It does not look at fields that the strategy does not read.
func (o Options) Validate() error {
	if err := o.validateStrategy(); err != nil {
		return err
	}
	switch {
	case o.MaxLength < 1:
		return fmt.Errorf("decode: max_length is %d, want 1 or more", o.MaxLength)
	case o.MinLength < 0 || o.MinLength > o.MaxLength:
		return fmt.Errorf("decode: min_length is %d, want 0 to max_length, which is %d", o.MinLength, o.MaxLength)
	case o.NoRepeatNgram < 0:
		return fmt.Errorf("decode: no_repeat_ngram is %d, want 0 or more", o.NoRepeatNgram)
	case o.NBest < 1:
		return fmt.Errorf("decode: n_best is %d, want 1 or more", o.NBest)
	}
	for _, token := range o.StopTokens {
		if token < 0 {
			return fmt.Errorf("decode: stop_tokens has %d, want ids from 0", token)
		}
	}
	return nil
}

func (o Options) validateStrategy() error {
	switch o.Strategy {
	case Greedy:
		if o.NBest > 1 {
			return fmt.Errorf("decode: n_best is %d, but greedy search finds 1", o.NBest)
		}
	case Beam:
		switch {
		case o.Beams < 1:
			return fmt.Errorf("decode: beams is %d, want 1 or more", o.Beams)
		case o.NBest > o.Beams:
			return fmt.Errorf("decode: n_best is %d, want at most beams, which is %d", o.NBest, o.Beams)
		}
	case Sample:
		switch {
		case !(o.Temperature > 0) || math.IsInf(o.Temperature, 0):
			return fmt.Errorf("decode: temperature is %g, want a finite number above 0", o.Temperature)
		case o.TopK < 0:
			return fmt.Errorf("decode: top_k is %d, want 0 or more", o.TopK)
		case !(o.TopP > 0 && o.TopP <= 1):
			return fmt.Errorf("decode: top_p is %g, want more than 0 and at most 1", o.TopP)
		}
	default:
		return fmt.Errorf("decode: strategy is %q, want %q, %q or %q", o.Strategy, Greedy, Beam, Sample)
	}
	return nil
}
