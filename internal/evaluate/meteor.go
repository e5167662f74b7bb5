package evaluate

import (
	"context"
	"io"

	"github.com/cutline-go/cutline/metrics"
)

// meteorScorer keeps METEOR's statistics of each image, from which all is computed.
type meteorScorer struct {
	table  string // file of paraphrases, if any, read for each block anew
	name   string
	images [][23]int32
}

func (s *meteorScorer) Add(_ context.Context, b Block) error {
	var paraphrases *metrics.METEORParaphrases
	if s.table != "" {
		var err error
		paraphrases, err = read(s.table, func(r io.Reader) (*metrics.METEORParaphrases, error) {
			return metrics.ReadMETEORParaphrases(r, b.Tokens)
		})
		if err != nil {
			return err
		}
	}
	r := metrics.METEOR(b.Tokens, paraphrases)
	s.name = r.Name
	for _, statistics := range r.Statistics {
		var image [23]int32
		for k, n := range statistics {
			image[k] = int32(n)
		}
		s.images = append(s.images, image)
	}
	return nil
}

func (s *meteorScorer) statistics(i int) metrics.METEORStatistics {
	var statistics metrics.METEORStatistics
	for k, n := range s.images[i] {
		statistics[k] = int(n)
	}
	return statistics
}

// sum adds up the statistics of images that occur so many times; of each once without
// times.
func (s *meteorScorer) sum(times []int32) metrics.METEORStatistics {
	var sum metrics.METEORStatistics
	for i := range s.images {
		switch {
		case times == nil:
			sum.Add(s.statistics(i), 1)
		case times[i] != 0:
			sum.Add(s.statistics(i), int(times[i]))
		}
	}
	return sum
}

func (s *meteorScorer) Scores(context.Context) ([]Score, error) {
	return []Score{{
		Key: "meteor", Name: s.name, Corpus: s.sum(nil).Score(), images: len(s.images),
		image:  func(i int) float64 { return s.statistics(i).Score() },
		family: &family{func(times []int32) []float64 { return []float64{s.sum(times).Score()} }},
	}}, nil
}

func (*meteorScorer) Close() error { return nil }
