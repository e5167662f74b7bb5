package evaluate

import (
	"context"

	"github.com/cutline-go/cutline/metrics"
)

// spiceScorer runs the official program on many images at once, since it takes long to
// start.
type spiceScorer struct {
	mean
	jar     metrics.Jar
	waiting []metrics.Sample
}

// spiceImages is how many images one run of the program scores.
const spiceImages = 4 * blockSize

func (s *spiceScorer) Add(ctx context.Context, b Block) error {
	s.waiting = append(s.waiting, b.Samples...)
	if len(s.waiting) < spiceImages {
		return nil
	}
	return s.run(ctx)
}

func (s *spiceScorer) run(ctx context.Context) error {
	scores, err := metrics.SPICE(ctx, s.waiting, s.jar)
	s.add(scores.Scores)
	s.waiting = nil
	return err
}

func (s *spiceScorer) Scores(ctx context.Context) ([]Score, error) {
	if len(s.waiting) > 0 {
		if err := s.run(ctx); err != nil {
			return nil, err
		}
	}
	return []Score{s.score()}, nil
}

func (*spiceScorer) Close() error { return nil }
