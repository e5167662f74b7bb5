package evaluate

import (
	"context"
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

	Diversity Metric = "diversity" // distinct_1, distinct_2, distinct_captions, mean_length
	Copies    Metric = "copies"    // of the captions of a corpus
)

// Captions are what the metrics score, as they were written and in tokens.
type Captions struct {
	Samples []metrics.Sample
	tokens  []metrics.Tokens
}

// NewCaptions tokenizes the samples, which it keeps.
func NewCaptions(samples []metrics.Sample) *Captions {
	return &Captions{samples, metrics.TokenizeAll(samples)}
}

// Resources are what some metrics take beside captions and references. Each may be
// left out but the jar, for SPICE, and the corpus, for Copies.
type Resources struct {
	DocumentFrequencies string // file; CIDEr otherwise takes those of the references
	Paraphrases         string // file; METEOR otherwise goes without
	Jar                 metrics.Jar
	Corpus              iter.Seq2[string, error] // captions; read anew for each score
}

// Score computes the metric over the captions. No captions are an error: a mean of
// nothing would not be a number.
func (m Metric) Score(ctx context.Context, c *Captions, r Resources) ([]Score, error) {
	if len(c.Samples) == 0 {
		return nil, fmt.Errorf("%s: no captions to score", m)
	}
	switch m {
	case BLEU:
		return bleu(c.tokens), nil
	case ROUGE:
		return []Score{NewMean("rouge_l", metrics.ROUGEL(c.tokens))}, nil
	case CIDEr:
		return cider(c.tokens, r.DocumentFrequencies)
	case METEOR:
		return meteor(c.tokens, r.Paraphrases)
	case SPICEGo:
		return []Score{NewMean("spice_go", metrics.SPICEGo(c.Samples))}, nil
	case SPICE:
		s, err := metrics.SPICE(ctx, c.Samples, r.Jar)
		return []Score{NewMean("spice", s.Scores)}, err
	case Diversity:
		return diversity(c.tokens), nil
	case Copies:
		return copies(c.tokens, r.Corpus)
	}
	return nil, fmt.Errorf("no metric %q", m)
}

func bleu(tokens []metrics.Tokens) []Score {
	r := metrics.BLEU(tokens)
	scores := make([]Score, len(r.Scores))
	for n, s := range r.Scores {
		scores[n] = NewScore(s.Name, s, func(indices []int) float64 { return r.Aggregate(indices)[n] })
		scores[n].Counts = map[string]int{
			s.Name + "_guess": r.Guesses[n], s.Name + "_correct": r.Correct[n],
			"candidate_length": r.CandidateLength, "reference_length": r.ReferenceLength,
		}
	}
	return scores
}

// cider takes the document frequencies of a file, if one is named.
func cider(tokens []metrics.Tokens, name string) ([]Score, error) {
	if name == "" {
		return []Score{NewMean("cider", metrics.CIDErD(tokens, nil))}, nil
	}
	df, err := read(name, metrics.ReadDocumentFrequencies)
	if err != nil {
		return nil, err
	}
	return []Score{NewMean("cider", metrics.CIDErD(tokens, df))}, nil
}

// meteor takes the paraphrases of a file, if one is named.
func meteor(tokens []metrics.Tokens, name string) ([]Score, error) {
	var paraphrases *metrics.METEORParaphrases
	if name != "" {
		var err error
		paraphrases, err = read(name, func(r io.Reader) (*metrics.METEORParaphrases, error) {
			return metrics.ReadMETEORParaphrases(r, tokens)
		})
		if err != nil {
			return nil, err
		}
	}
	r := metrics.METEOR(tokens, paraphrases)
	return []Score{NewScore("meteor", r.Scores, r.Aggregate)}, nil
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
