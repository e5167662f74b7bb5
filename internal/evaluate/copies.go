package evaluate

import (
	"context"
	"iter"

	"github.com/cutline-go/cutline/metrics"
)

// copiesScorer tells which captions a corpus has, token by token.
type copiesScorer struct {
	keys   []metrics.CaptionKey
	corpus iter.Seq2[string, error]
}

func (s *copiesScorer) Add(_ context.Context, b Block) error {
	for _, t := range b.Tokens {
		s.keys = append(s.keys, metrics.KeyOf(t.Candidate))
	}
	return nil
}

func (s *copiesScorer) Scores(ctx context.Context) ([]Score, error) {
	var failed error
	scores := metrics.Copies(s.keys, func(yield func([]string) bool) {
		for caption, err := range s.corpus {
			if failed = err; err == nil {
				failed = ctx.Err()
			}
			if failed != nil || !yield(metrics.Tokenize(caption)) {
				return
			}
		}
	})
	return []Score{NewMean("copies", scores)}, failed
}

func (*copiesScorer) Close() error { return nil }
