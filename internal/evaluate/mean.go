package evaluate

import (
	"context"

	"github.com/cutline-go/cutline/metrics"
)

// mean gathers scores of images, whose aggregate is their mean.
type mean struct {
	key    string
	scores metrics.Scores
}

func (m *mean) add(more metrics.Scores) {
	m.scores.Name = more.Name
	m.scores.Images = append(m.scores.Images, more.Images...)
}

func (m *mean) score() Score {
	var sum float64
	for _, v := range m.scores.Images {
		sum += v
	}
	m.scores.Corpus = sum / float64(len(m.scores.Images))
	return NewMean(m.key, m.scores)
}

// meanScorer is a metric that scores each image by itself.
type meanScorer struct {
	mean
	metric func(Block) metrics.Scores
}

func newMeanScorer(key string, metric func(Block) metrics.Scores) *meanScorer {
	return &meanScorer{mean{key: key}, metric}
}

func (s *meanScorer) Add(_ context.Context, b Block) error {
	s.add(s.metric(b))
	return nil
}

func (s *meanScorer) Scores(context.Context) ([]Score, error) { return []Score{s.score()}, nil }

func (*meanScorer) Close() error { return nil }
