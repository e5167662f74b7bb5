package metrics

import (
	"io"
	"iter"
	"sync"

	"github.com/cutline-go/cutline/metrics/internal/meteor"
)

// METEORResult is METEOR's scores, and of each image the sufficient statistics
// that the corpus score is computed from.
type METEORResult struct {
	Scores
	Statistics [][23]int // in the order of the samples and, within, of the official jar's output
}

// METEORParaphrases is a table of phrases that mean the same.
type METEORParaphrases struct{ table *meteor.Paraphrases }

// METEOR computes METEOR 1.5 as coco-caption does, with the official jar's
// options -l en -norm: the words of the candidate are aligned with those of
// each reference by exact, stem and synonym matches, and by paraphrases too
// if there is a table of them; nil leaves them out. The name says which of the
// four ran: without paraphrases, scores are about a hundredth lower than the
// published ones, which have them.
//
// An image's score is that of its best reference; without references, or with
// an empty candidate, it is 0. The corpus score is not the mean of the images:
// it is computed once, from the sum of their statistics. Tokens are in lower
// case, as TokenizeAll returns them; METEOR's own normaliser runs over them.
func METEOR(samples []Tokens, paraphrases *METEORParaphrases) METEORResult {
	result := METEORResult{
		Scores:     Scores{Name: "meteor (exact+stem+synonym)", Images: make([]float64, len(samples))},
		Statistics: make([][23]int, len(samples)),
	}
	var table *meteor.Paraphrases
	if paraphrases != nil {
		result.Name = "meteor (exact+stem+synonym+paraphrase)"
		table = paraphrases.table
	}
	aligners := sync.Pool{New: func() any { return meteor.NewAligner(table) }}
	parallel(len(samples), func(begin, end int) {
		aligner := aligners.Get().(*meteor.Aligner) // which knows the words of earlier blocks
		defer aligners.Put(aligner)
		for i := begin; i < end; i++ {
			statistics := aligner.Best(samples[i].Candidate, samples[i].References)
			result.Statistics[i] = statistics
			result.Images[i] = statistics.Score()
		}
	})
	var sum meteor.Statistics
	for _, statistics := range result.Statistics {
		sum.Add(statistics)
	}
	result.Corpus = sum.Score()
	return result
}

// Aggregate returns the corpus score of the images at the indices, each
// counted as often as it is named: what a bootstrap asks of a resampled corpus.
func (r METEORResult) Aggregate(indices []int) float64 {
	var sum meteor.Statistics
	for _, i := range indices {
		sum.Add(r.Statistics[i])
	}
	return sum.Score()
}

// ReadMETEORParaphrases reads a table in the form of the file paraphrase-en.gz
// that comes with METEOR, and keeps of its millions of pairs those that can
// match in the samples. A table that is damaged or cut off is an error.
func ReadMETEORParaphrases(r io.Reader, samples []Tokens) (*METEORParaphrases, error) {
	table, err := meteor.ReadParaphrases(r, texts(samples))
	if err != nil {
		return nil, err
	}
	return &METEORParaphrases{table}, nil
}

// texts returns all texts of the samples.
func texts(samples []Tokens) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for _, sample := range samples {
			if !yield(sample.Candidate) {
				return
			}
			for _, reference := range sample.References {
				if !yield(reference) {
					return
				}
			}
		}
	}
}
