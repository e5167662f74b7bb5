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
	Statistics []METEORStatistics // in the order of the samples
}

// METEORStatistics are METEOR's 23 sufficient statistics of an image or, added up, of
// many, in the order in which the official jar prints them.
type METEORStatistics [23]int

// Add adds the statistics of an image that occurs some times in the corpus.
func (s *METEORStatistics) Add(image METEORStatistics, times int) {
	(*meteor.Statistics)(s).Add(meteor.Statistics(image), times)
}

// Score returns METEOR.
func (s METEORStatistics) Score() float64 { return meteor.Statistics(s).Score() }

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
		Statistics: make([]METEORStatistics, len(samples)),
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
			result.Statistics[i] = METEORStatistics(statistics)
			result.Images[i] = statistics.Score()
		}
	})
	var sum METEORStatistics
	for _, statistics := range result.Statistics {
		sum.Add(statistics, 1)
	}
	result.Corpus = sum.Score()
	return result
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
