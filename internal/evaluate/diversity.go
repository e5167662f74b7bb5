package evaluate

import (
	"context"
	"errors"
	"fmt"

	"github.com/cutline-go/cutline/metrics"
)

// diversityScorer tells how much the captions differ from each other. An image that is
// drawn twice would count as a repetition, so what asks for repetitions has no interval.
type diversityScorer struct {
	counters [2]*metrics.DistinctCounter // of n-grams, n = 1 and 2
	distinct [2][]float64                // of each caption alone
	keys     []metrics.CaptionKey
	lengths  mean
}

func newDiversityScorer() *diversityScorer {
	s := &diversityScorer{lengths: mean{key: "mean_length"}}
	for n := range s.counters {
		s.counters[n] = metrics.NewDistinctCounter(n + 1)
	}
	return s
}

func (s *diversityScorer) Add(_ context.Context, b Block) error {
	lengths := metrics.Scores{Name: "mean length in tokens"}
	var err error
	for _, t := range b.Tokens {
		caption := [][]string{t.Candidate}
		for n, counter := range s.counters {
			s.distinct[n] = append(s.distinct[n], metrics.Distinct(caption, n+1))
			err = errors.Join(err, counter.Add(caption))
		}
		s.keys = append(s.keys, metrics.KeyOf(t.Candidate))
		lengths.Images = append(lengths.Images, float64(len(t.Candidate)))
	}
	s.lengths.add(lengths)
	return err
}

func (s *diversityScorer) Scores(context.Context) ([]Score, error) {
	var scores []Score
	for n, counter := range s.counters {
		share, err := counter.Share()
		if err != nil {
			return nil, err
		}
		scores = append(scores, Score{
			Key: fmt.Sprintf("distinct_%d", n+1), Name: fmt.Sprintf("distinct-%d", n+1), Corpus: share,
			images: len(s.keys), image: func(i int) float64 { return s.distinct[n][i] },
		})
	}
	return append(scores, s.distinctCaptions(), s.lengths.score()), nil
}

// distinctCaptions is the share of different captions. An image whose caption k images
// have scores 1/k, so that the mean is that share.
func (s *diversityScorer) distinctCaptions() Score {
	times := make(map[metrics.CaptionKey]int, len(s.keys))
	for _, key := range s.keys {
		times[key]++
	}
	return Score{
		Key: "distinct_captions", Name: "distinct captions", Corpus: float64(len(times)) / float64(len(s.keys)),
		images: len(s.keys), image: func(i int) float64 { return 1 / float64(times[s.keys[i]]) },
	}
}

func (s *diversityScorer) Close() error {
	return errors.Join(s.counters[0].Close(), s.counters[1].Close())
}
