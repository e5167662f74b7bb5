package evaluate

import (
	"context"

	"github.com/cutline-go/cutline/metrics"
)

// ciderScorer is CIDEr-D and self-CIDEr by document frequencies of a file.
type ciderScorer struct {
	mean
	metric Metric
	df     *metrics.DocumentFrequencies
}

// corpusCIDErScorer is the same by those of the references, which it counts first.
type corpusCIDErScorer struct {
	ciderScorer
	counter *metrics.DocumentCounter
}

// newCIDErScorer takes document frequencies of a file, if one is named.
func newCIDErScorer(metric Metric, file string) (Scorer, error) {
	s := ciderScorer{mean{key: "cider"}, metric, nil}
	if metric == SelfCIDEr {
		s.key = "self_cider"
	}
	if file == "" {
		return &corpusCIDErScorer{s, metrics.NewDocumentCounter()}, nil
	}
	var err error
	s.df, err = read(file, metrics.ReadDocumentFrequencies)
	return &s, err
}

func (s *ciderScorer) Add(_ context.Context, b Block) error {
	if s.metric == SelfCIDEr {
		s.add(metrics.SelfCIDEr(setsOf(b), s.df))
	} else {
		s.add(metrics.CIDErD(b.Tokens, s.df))
	}
	return nil
}

// setsOf returns all captions of each image in tokens.
func setsOf(b Block) [][][]string {
	sets := make([][][]string, len(b.Tokens))
	for i, t := range b.Tokens {
		sets[i] = [][]string{t.Candidate}
		for _, caption := range b.More[i] {
			sets[i] = append(sets[i], metrics.Tokenize(caption))
		}
	}
	return sets
}

func (s *ciderScorer) Scores(context.Context) ([]Score, error) { return []Score{s.score()}, nil }

func (*ciderScorer) Close() error { return nil }

func (s *corpusCIDErScorer) count(b Block) error { return s.counter.Add(b.Tokens) }

func (s *corpusCIDErScorer) Add(ctx context.Context, b Block) error {
	needed := b.Tokens
	if s.metric == SelfCIDEr {
		needed = nil
		for _, set := range setsOf(b) {
			needed = append(needed, metrics.Tokens{References: set})
		}
	}
	var err error
	if s.df, err = s.counter.Frequencies(needed); err != nil {
		return err
	}
	return s.ciderScorer.Add(ctx, b)
}

func (s *corpusCIDErScorer) Close() error { return s.counter.Close() }
