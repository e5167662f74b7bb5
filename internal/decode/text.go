package decode

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// text is a hypothesis in the making.
type text struct {
	tokens   []int
	logProb  float64
	finished bool
	row      int        // of the last logits, which continue it, or ended
	random   *rand.Rand // of a sample
}

// ended takes the place of the row of a text that needs no more of them.
const ended = -1

// extend returns the text with one token more.
func (o Options) extend(t text, token int, logProb float64) text {
	// Beams share their parent's tokens: clipped, so that none writes over another's.
	t.tokens = append(slices.Clip(t.tokens), token)
	t.logProb += logProb
	if slices.Contains(o.StopTokens, token) {
		t.finished, t.row = true, ended
	}
	return t
}

// score is the log-probability per token.
func (t text) score() float64 { return average(t.logProb, len(t.tokens)) }

func average(logProb float64, tokens int) float64 {
	// A text without tokens was denied each by the bans; it was certain.
	return logProb / float64(max(tokens, 1))
}

func descending(a, b float64) int { return cmp.Compare(b, a) }

// ban appends the tokens that may not follow a text to list: the stop tokens before
// MinLength, and those that would complete an n-gram for the second time.
func (o Options) ban(list, tokens []int) []int {
	if len(tokens) < o.MinLength {
		list = append(list, o.StopTokens...)
	}
	n := o.NoRepeatNgram
	if n == 0 || len(tokens) < n {
		return list
	}
	head := tokens[len(tokens)-n+1:]
	for i := range len(tokens) - n + 1 {
		if slices.Equal(tokens[i:i+n-1], head) {
			list = append(list, tokens[i+n-1])
		}
	}
	return list
}
