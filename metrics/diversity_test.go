package metrics

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func captionsOf(captions ...string) [][]string {
	var tokens [][]string
	for _, caption := range captions {
		tokens = append(tokens, strings.Fields(caption))
	}
	return tokens
}

func TestSelfCIDEr(t *testing.T) {
	df := CountDocuments([]Tokens{
		wordsOf("", "a dog sits here", "cats eat red fish"),
		wordsOf("", "one two three four", "nobody knows why"),
		wordsOf("", "a dog runs"),
	})
	same := captionsOf("a dog sits here", "a dog sits here", "a dog sits here")
	apart := captionsOf("a dog sits here", "cats eat red fish", "one two three four")
	mixed := captionsOf("a dog sits here", "a dog runs", "one two three four")
	scores := SelfCIDEr([][][]string{same, apart, mixed, same[:1], nil, captionsOf("", "")}, df).Images
	for i, want := range []float64{0, 1, scores[2], 0, 0, 0} {
		if math.Abs(scores[i]-want) > 1e-7 { // the root of an eigenvalue's rounding
			t.Errorf("set %d: %g, want %g", i, scores[i], want)
		}
	}
	if scores[2] <= scores[0] || scores[2] >= scores[1] {
		t.Errorf("half alike: %g, want between %g and %g", scores[2], scores[0], scores[1])
	}
	slices.Reverse(mixed)
	if again := SelfCIDEr([][][]string{mixed}, df).Corpus; math.Abs(again-scores[2]) > 1e-9 {
		t.Errorf("in another order %g, want %g", again, scores[2])
	}
}

// By hand: words and bigrams all as rare, one word of two in common. Captions
// have no n-grams of 3 and 4, so their likeness to themselves is 2/4, and to
// each other 1/2·1/4; the eigenvalues are 1/2 ± 1/8.
func TestSelfCIDErByHand(t *testing.T) {
	df := CountDocuments([]Tokens{wordsOf("", "x"), wordsOf("", "y")})
	got := SelfCIDEr([][][]string{captionsOf("a dog", "a cat")}, df).Corpus
	large, small := math.Sqrt(0.625), math.Sqrt(0.375)
	if want := -math.Log2(large / (large + small)); math.Abs(got-want) > 1e-9 {
		t.Errorf("%g, want %g", got, want)
	}
}

func TestEigenvalues(t *testing.T) {
	// x³ − 6x² + 10x − 4 = (x − 2)(x² − 4x + 2).
	got := eigenvalues([][]float64{{2, 1, 0}, {1, 2, 1}, {0, 1, 2}})
	slices.Sort(got)
	for i, want := range []float64{2 - math.Sqrt2, 2, 2 + math.Sqrt2} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("eigenvalue %d is %g, want %g", i, got[i], want)
		}
	}
}

func TestDistinct(t *testing.T) {
	captions := captionsOf("a dog a dog", "a cat", "")
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"distinct-1", Distinct(captions, 1), 3.0 / 6},
		{"distinct-2", Distinct(captions, 2), 3.0 / 4},
		{"distinct-5", Distinct(captions, 5), 0},
	} {
		if c.got != c.want {
			t.Errorf("%s is %g, want %g", c.name, c.got, c.want)
		}
	}
}

func TestCopies(t *testing.T) {
	captions := captionsOf("a dog", "a cat", "a dog", "a")
	var keys []CaptionKey
	for _, caption := range captions {
		keys = append(keys, KeyOf(caption))
	}
	copies := Copies(keys, slices.Values(captionsOf("a dog", "a dog sits", "a dog")))
	if want := []float64{1, 0, 1, 0}; !slices.Equal(copies.Images, want) || copies.Corpus != 0.5 {
		t.Errorf("%v, %g; want %v, 0.5", copies.Images, copies.Corpus, want)
	}
}
