package evaluate

import (
	"math"

	"github.com/cutline-go/cutline/metrics"
)

// Score is what a metric gives over a set of images, and the way to take it again
// over any multiset of them.
type Score struct {
	Key string // short and fixed, such as "bleu4"; Scores.Name says what ran
	metrics.Scores
	Counts map[string]int // raw counts that it was computed from, by names; most have none
	over   func(indices []int) float64
}

// NewScore returns a score whose value over the images at some indices, each as often
// as it is named, is over(indices). over runs concurrently. It is nil where images may
// not be drawn twice; then the score has no interval.
func NewScore(key string, s metrics.Scores, over func(indices []int) float64) Score {
	return Score{Key: key, Scores: s, over: over}
}

// NewMean returns a score whose value over a set of images is their mean.
func NewMean(key string, s metrics.Scores) Score {
	return NewScore(key, s, func(indices []int) float64 {
		var sum float64
		for _, i := range indices {
			sum += s.Images[i]
		}
		return sum / float64(len(indices))
	})
}

// of takes the score over the images at the indices, which repeat.
func (s Score) of(indices []int) float64 {
	if s.over == nil {
		return math.NaN()
	}
	return s.over(indices)
}
