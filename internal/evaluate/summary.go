package evaluate

import (
	"context"

	"github.com/cutline-go/cutline/metrics"
)

// Summary is how good captions are, in the numbers that comparisons of methods need.
type Summary struct {
	CIDEr    float64    `json:"cider"`
	Interval [2]float64 `json:"interval"` // of CIDEr, 95 %
	BLEU4    float64    `json:"bleu4"`
	Distinct float64    `json:"distinct_captions"`
}

// Summarize scores captions of which there are few.
func (b Bootstrap) Summarize(ctx context.Context, samples []metrics.Sample) (Summary, error) {
	var scorers []Scorer
	for _, metric := range []Metric{CIDEr, BLEU, Diversity} {
		scorer, err := metric.Scorer(Resources{})
		if err != nil {
			return Summary{}, err
		}
		scorers = append(scorers, scorer)
	}
	scores, err := Run(ctx, InMemory(samples), scorers, nil)
	if err != nil {
		return Summary{}, err
	}
	var out Summary
	for _, s := range scores {
		switch s.Key {
		case "cider":
			intervals, err := b.Intervals([]Score{s})
			if err != nil {
				return Summary{}, err
			}
			out.CIDEr, out.Interval = s.Corpus, [2]float64{intervals[0].Low, intervals[0].High}
		case "bleu4":
			out.BLEU4 = s.Corpus
		case "distinct_captions":
			out.Distinct = s.Corpus
		}
	}
	return out, nil
}
