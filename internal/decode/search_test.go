package decode

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestBatchIsItsSingles(t *testing.T) {
	const sequences = 5
	for name, o := range strategies() {
		for seed := range uint64(20) {
			m := newTable(t, seed, sequences, 20)
			batch := mustSearch(t, m, o)
			for i := range sequences {
				m.sequences = []int{i}
				single := o
				single.Seed += uint64(i)
				if got := mustSearch(t, m, single)[0]; !same(got, batch[i]) {
					t.Fatalf("%s, seed %d, sequence %d:\n single %v\n  batch %v", name, seed, i, got, batch[i])
				}
			}
		}
	}
}

// TestHypotheses holds what search says of its texts against the model.
func TestHypotheses(t *testing.T) {
	for name, o := range strategies() {
		for seed := range uint64(20) {
			m := newTable(t, seed, 2, 20)
			for number, found := range mustSearch(t, m, o) {
				if len(found) != o.NBest {
					t.Errorf("%s: %d hypotheses, want %d", name, len(found), o.NBest)
				}
				if !slices.IsSortedFunc(found, func(a, b Hypothesis) int { return descending(a.Score, b.Score) }) {
					t.Errorf("%s: %v is not ordered by score", name, found)
				}
				for _, h := range found {
					checkHypothesis(t, m, o, number, h)
				}
			}
		}
	}
}

func checkHypothesis(t *testing.T, m *table, o Options, number int, h Hypothesis) {
	t.Helper()
	sum := 0.0
	for i, token := range h.Tokens {
		sum += m.logProbs(number, h.Tokens[:i])[token]
		if last := i == len(h.Tokens)-1; slices.Contains(o.StopTokens, token) != (last && h.Finished) {
			t.Errorf("%v: token %d stops, or the text ends without, finished is %v", h.Tokens, i, h.Finished)
		}
	}
	if !same([]Hypothesis{h}, []Hypothesis{{h.Tokens, sum, sum / float64(len(h.Tokens)), h.Finished}}) {
		t.Errorf("%+v: the model's log-probability is %g", h, sum)
	}
	if !h.Finished && len(h.Tokens) != o.MaxLength || len(h.Tokens) > o.MaxLength {
		t.Errorf("%+v: want %d tokens, or fewer if finished", h, o.MaxLength)
	}
}

// TestEndedTextsCostNothing: the model is sent no stop token, and a row for each
// token that another one follows. Of a beam search, whose texts are cut, the calls
// alone are counted.
func TestEndedTextsCostNothing(t *testing.T) {
	for name, o := range strategies() {
		o.NBest = max(o.NBest, o.Beams)
		early := 0
		for seed := range uint64(30) {
			m := newTable(t, seed, 2, 8)
			m.stops = o.StopTokens
			rows, longest := 0, 0
			for _, found := range mustSearch(t, m, o) {
				for _, h := range found {
					rows += len(h.Tokens) - 1
					longest = max(longest, len(h.Tokens))
				}
			}
			if o.Strategy != Beam && m.sent != rows {
				t.Errorf("%s: %d rows were sent, want %d", name, m.sent, rows)
			}
			if m.calls < longest-1 || o.Strategy != Beam && m.calls != longest-1 {
				t.Errorf("%s: %d calls for texts of up to %d tokens", name, m.calls, longest)
			}
			if m.calls < o.MaxLength-1 {
				early++
			}
		}
		if early == 0 {
			t.Errorf("%s: no batch ended before the limit", name)
		}
	}
}

func TestMinLength(t *testing.T) {
	for name, o := range strategies() {
		o.MinLength = 4
		atMin := 0
		for seed := range uint64(50) {
			for _, found := range mustSearch(t, newTable(t, seed, 2, 7), o) {
				for _, h := range found {
					if n := len(h.Tokens); h.Finished && n <= o.MinLength {
						t.Fatalf("%s: %v has a stop token after fewer than %d others", name, h.Tokens, o.MinLength)
					} else if h.Finished && n == o.MinLength+1 {
						atMin++
					}
				}
			}
		}
		if atMin == 0 {
			t.Errorf("%s: no text stopped as soon as it might", name)
		}
	}
}

func TestNoRepeatNgram(t *testing.T) {
	for name, o := range strategies() {
		o.StopTokens, o.MaxLength = nil, 20
		for _, n := range []int{0, 1, 2, 3} {
			o.NoRepeatNgram = n
			repeats := 0
			for seed := range uint64(10) {
				for _, found := range mustSearch(t, newTable(t, seed, 1, 25), o) {
					for _, h := range found {
						repeats += repeated(h.Tokens, max(n, 1))
					}
				}
			}
			if (repeats > 0) != (n == 0) {
				t.Errorf("%s: %d repeats, though n-grams of %d may not repeat (0: may)", name, repeats, n)
			}
		}
	}
}

// repeated counts the n-grams that stood before.
func repeated(tokens []int, n int) (count int) {
	for i := range len(tokens) - n + 1 {
		for j := range i {
			if slices.Equal(tokens[i:i+n], tokens[j:j+n]) {
				count++
			}
		}
	}
	return count
}

// TestNoTokenAllowed: a text whose every continuation is banned ends, unfinished.
func TestNoTokenAllowed(t *testing.T) {
	for name, o := range strategies() {
		o.NoRepeatNgram, o.StopTokens, o.MaxLength = 1, nil, 8
		for _, h := range mustSearch(t, newTable(t, 1, 1, 4), o)[0] {
			if len(h.Tokens) != 4 || h.Finished {
				t.Errorf("%s: %+v, want the 4 tokens of the vocabulary, once each", name, h)
			}
		}
		o.NoRepeatNgram, o.StopTokens, o.MinLength = 0, []int{0, 1, 2, 3}, 1
		for _, h := range mustSearch(t, newTable(t, 1, 1, 4), o)[0] {
			if len(h.Tokens) != 0 || h.Finished || h.LogProb != 0 || h.Score != 0 {
				t.Errorf("%s: %+v, want an empty text", name, h)
			}
		}
	}
}

func TestCancelled(t *testing.T) {
	for name, o := range strategies() {
		o.StopTokens = nil
		for after := range o.MaxLength - 1 {
			ctx, cancel := context.WithCancel(context.Background())
			m := newTable(t, 1, 2, 20)
			if after == 0 {
				cancel()
			}
			m.allow = func() bool {
				if m.calls == after-1 {
					cancel()
				}
				return m.calls < after
			}
			found, err := Search(ctx, m, o)
			if found != nil || err != context.Canceled {
				t.Errorf("%s, cancelled in call %d: %v, %v", name, after, found, err)
			}
			cancel()
		}
	}
}

// scripted is a model that says the same whatever it is told.
type scripted struct {
	prefill, next       [][]float32
	prefillErr, nextErr error
}

func (m *scripted) Prefill(context.Context) ([][]float32, error) { return m.prefill, m.prefillErr }
func (m *scripted) Next(context.Context, []int, []int) ([][]float32, error) {
	return m.next, m.nextErr
}

func TestBadModels(t *testing.T) {
	broken := errors.New("broken")
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	good := [][]float32{{1, 2}}
	tests := []struct {
		name  string
		model scripted
		want  string
	}{
		{"prefill fails", scripted{prefillErr: broken}, "decode: prefix: broken"},
		{"next fails", scripted{prefill: good, nextErr: broken}, "decode: token 2: broken"},
		{"no rows", scripted{}, "no rows"},
		{"empty row", scripted{prefill: [][]float32{{}}}, "decode: token 1: row 0: no logits"},
		{"uneven rows", scripted{prefill: [][]float32{{1, 2}, {1}}}, "row 1 has 1 logits, the first had 2"},
		{"rows grow wider", scripted{prefill: good, next: [][]float32{{1, 2, 3}}}, "decode: token 2: row 0 has 3 logits"},
		{"too many rows", scripted{prefill: good, next: [][]float32{{1, 2}, {1, 2}}}, "2 rows of logits for 1 tokens"},
		{"too few rows", scripted{prefill: good}, "0 rows of logits for 1 tokens"},
		{"NaN", scripted{prefill: [][]float32{{1, 2}, {1, nan}}}, "row 1: logit of token 1 is NaN"},
		{"NaN first", scripted{prefill: [][]float32{{nan, 1}}}, "logit of token 0 is NaN"},
		{"NaN later", scripted{prefill: good, next: [][]float32{{nan, nan}}}, "decode: token 2: row 0: logit of token 0 is NaN"},
		{"infinite", scripted{prefill: [][]float32{{inf, 1}}}, "the largest logit is +Inf"},
		{"impossible", scripted{prefill: [][]float32{{-inf, -inf}}}, "the largest logit is -Inf"},
	}
	o := PaperGreedy()
	for _, tt := range tests {
		found, err := Search(context.Background(), &tt.model, o)
		if found != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, error %v, want %q", tt.name, found, err, tt.want)
		}
		if fails := tt.model.prefillErr != nil || tt.model.nextErr != nil; errors.Is(err, broken) != fails {
			t.Errorf("%s: error %v does not wrap the model's", tt.name, err)
		}
	}
}

// TestImpossibleTokens: a logit of −∞ is never chosen.
func TestImpossibleTokens(t *testing.T) {
	row := []float32{float32(math.Inf(-1)), 0, float32(math.Inf(-1)), -1}
	for name, o := range strategies() {
		o.MaxLength, o.StopTokens = 1, nil
		for _, h := range mustSearch(t, &scripted{prefill: [][]float32{row}}, o)[0] {
			if len(h.Tokens) != 1 || h.Tokens[0]%2 == 0 {
				t.Errorf("%s chose %v", name, h.Tokens)
			}
		}
	}
}
