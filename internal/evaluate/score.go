package evaluate

import "github.com/cutline-go/cutline/metrics"

// Score is what a metric gives over a set of images, and the way to take it again
// over any multiset of them.
type Score struct {
	Key string // short and fixed, such as "bleu4"; Scores.Name says what ran
	metrics.Scores
	over func(indices []int) float64
}

// NewScore returns a score whose value over the images at some indices, each as often
// as it is named, is over(indices). over runs concurrently.
func NewScore(key string, s metrics.Scores, over func(indices []int) float64) Score {
	return Score{key, s, over}
}

// NewMean returns a score whose value over a set of images is their mean.
func NewMean(key string, s metrics.Scores) Score {
	return Score{key, s, func(indices []int) float64 {
		var sum float64
		for _, i := range indices {
			sum += s.Images[i]
		}
		return sum / float64(len(indices))
	}}
}
