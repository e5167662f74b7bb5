package evaluate

import (
	"math"
	"slices"
	"testing"

	"github.com/cutline-go/cutline/metrics"
)

// captionsOf are samples without references.
func captionsOf(candidates ...string) Captions {
	var samples []metrics.Sample
	for _, candidate := range candidates {
		samples = append(samples, metrics.Sample{Candidate: candidate})
	}
	return InMemory(samples)
}

// TestDiversity holds scores by hand, of captions that differ in nothing but what the
// tokenizer takes away, too.
func TestDiversity(t *testing.T) {
	scores := score(t, captionsOf("A dog sits.", "a dog sits", "a dog and a cat", ""), Diversity)
	for i, want := range []metrics.Scores{
		{Name: "distinct-1", Corpus: 5.0 / 11, Images: []float64{1, 1, 4.0 / 5, 0}},
		{Name: "distinct-2", Corpus: 5.0 / 8, Images: []float64{1, 1, 1, 0}},
		{Name: "distinct captions", Corpus: 3.0 / 4, Images: []float64{0.5, 0.5, 1, 1}},
		{Name: "mean length in tokens", Corpus: 11.0 / 4, Images: []float64{3, 3, 5, 0}},
	} {
		got := scores[i]
		if got.Name != want.Name || math.Abs(got.Corpus-want.Corpus) > 1e-12 || !slices.Equal(imagesOf(got), want.Images) {
			t.Errorf("%s: %v %v, want %+v", got.Name, got.Corpus, imagesOf(got), want)
		}
	}
}

// TestDiversityIntervals holds that there is none where images drawn twice would look
// like captions that repeat, and that there is one for the mean length.
func TestDiversityIntervals(t *testing.T) {
	scores := score(t, captionsOf("a dog", "a small cat", "two red birds fly"), Diversity)
	got, err := Bootstrap{Resamples: 100}.Intervals(scores)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range scores {
		none := math.IsNaN(got[i].Low) && math.IsNaN(got[i].High)
		if none != (s.Key != "mean_length") {
			t.Errorf("%s has the interval %v", s.Key, got[i])
		}
	}
}

func TestCopies(t *testing.T) {
	corpus := func(yield func(string, error) bool) {
		for _, caption := range []string{"A dog sits.", "two cats", "A dog sits."} {
			if !yield(caption, nil) {
				return
			}
		}
	}
	captions := captionsOf("a dog sits", "a dog", "Two cats!", "a dog sits")
	for range 2 { // a second system is held against the same corpus
		scores, err := scoreWith(t, captions, Resources{Corpus: corpus}, Copies)
		if err != nil {
			t.Fatal(err)
		}
		s := scores[0]
		if want := []float64{1, 0, 1, 1}; s.Key != "copies" || s.Corpus != 0.75 || !slices.Equal(imagesOf(s), want) {
			t.Errorf("%+v, want copies 0.75, %v", s, want)
		}
	}
}
