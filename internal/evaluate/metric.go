package evaluate

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/cutline-go/cutline/metrics"
)

// Metric is a metric of words: of captions beside references, or of captions alone.
type Metric string

// The metrics, by the names that people call them.
const (
	BLEU    Metric = "bleu" // four scores: bleu1 to bleu4
	ROUGE   Metric = "rouge"
	CIDEr   Metric = "cider"
	METEOR  Metric = "meteor"
	SPICEGo Metric = "spice-go" // our own; see [metrics.SPICEGo]
	SPICE   Metric = "spice"    // the official program

	Diversity Metric = "diversity"  // distinct_1, distinct_2, distinct_captions, mean_length
	SelfCIDEr Metric = "self-cider" // of several captions of an image
	Copies    Metric = "copies"     // of the captions of a corpus
)

// Resources are what some metrics take beside captions and references. Each may be
// left out but the jar, for SPICE, and the corpus, for Copies.
type Resources struct {
	DocumentFrequencies string // file; CIDEr otherwise takes those of the references
	Paraphrases         string // file; METEOR otherwise goes without
	Jar                 metrics.Jar
	Corpus              iter.Seq2[string, error] // captions; read anew for each score
}

// Scorer returns what computes the metric.
func (m Metric) Scorer(r Resources) (Scorer, error) {
	switch m {
	case BLEU:
		return &bleuScorer{}, nil
	case ROUGE:
		return newMeanScorer("rouge_l", func(b Block) metrics.Scores { return metrics.ROUGEL(b.Tokens) }), nil
	case SPICEGo:
		return newMeanScorer("spice_go", func(b Block) metrics.Scores { return metrics.SPICEGo(b.Samples) }), nil
	case CIDEr, SelfCIDEr:
		return newCIDErScorer(m, r.DocumentFrequencies)
	case METEOR:
		return &meteorScorer{table: r.Paraphrases}, nil
	case SPICE:
		return &spiceScorer{mean: mean{key: "spice"}, jar: r.Jar}, nil
	case Diversity:
		return newDiversityScorer(), nil
	case Copies:
		if r.Corpus == nil {
			return nil, errors.New("copies: no corpus")
		}
		return &copiesScorer{corpus: r.Corpus}, nil
	}
	return nil, fmt.Errorf("no metric %q", m)
}

// read reads a file, which errors name.
func read[T any](name string, from func(io.Reader) (T, error)) (value T, err error) {
	file, err := os.Open(name)
	if err != nil {
		return value, err
	}
	defer file.Close()
	if value, err = from(file); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return value, err
}
