package meteor

import (
	"math"
	"testing"
)

// TestScore follows the formula by hand: 2 content words of 3 and 1 function
// word of 2 matched exactly on either side, in 2 chunks.
func TestScore(t *testing.T) {
	s := Statistics{5, 5, 2, 2, 2, 2, 1, 1}
	s[atChunks], s[atMatchedWords], s[atMatchedWords+1] = 2, 3, 3
	share := (0.75*2 + 0.25*1) / (0.75*3 + 0.25*2)
	want := share * (1 - 0.6*math.Pow(2.0/3, 0.2))
	if got := s.Score(); math.Abs(got-want) > 1e-12 {
		t.Errorf("got %g, want %g", got, want)
	}
	if got := (Statistics{}).Score(); got != 0 {
		t.Errorf("nothing scores %g, want 0", got)
	}
}

// TestAdd holds that the chunk of a perfect segment does not count.
func TestAdd(t *testing.T) {
	perfect := Statistics{2, 2, 0, 0, 2, 2}
	perfect[atChunks], perfect[atMatchedWords], perfect[atMatchedWords+1] = 1, 2, 2
	if got := perfect.Score(); got != 1 {
		t.Errorf("a perfect segment scores %g, want 1", got)
	}
	var sum Statistics
	sum.Add(perfect, 2)
	if sum[atChunks] != 0 || sum[atMatchedWords] != 4 {
		t.Errorf("two perfect segments have %d chunks and %d words matched, want 0 and 4", sum[atChunks], sum[atMatchedWords])
	}
	if got := sum.Score(); got != 1 {
		t.Errorf("two perfect segments score %g, want 1", got)
	}
}
