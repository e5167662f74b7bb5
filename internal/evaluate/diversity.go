package evaluate

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/cutline-go/cutline/metrics"
)

// diversity tells how much the captions differ from each other. An image that is drawn
// twice would count as a repetition, so what asks for repetitions has no interval.
// Self-CIDEr is not among the scores: it wants several captions of an image, and those
// that are scored here are one.
func diversity(tokens []metrics.Tokens) []Score {
	captions := candidates(tokens)
	return []Score{
		distinct(captions, 1),
		distinct(captions, 2),
		distinctCaptions(captions),
		meanLength(captions),
	}
}

// distinct is distinct-n of all captions, and of each image that of its caption alone.
func distinct(captions [][]string, n int) Score {
	images := make([]float64, len(captions))
	for i := range captions {
		images[i] = metrics.Distinct(captions[i:i+1], n)
	}
	return NewScore(fmt.Sprintf("distinct_%d", n), metrics.Scores{
		Name: fmt.Sprintf("distinct-%d", n), Corpus: metrics.Distinct(captions, n), Images: images,
	}, nil)
}

// distinctCaptions is the share of different captions. An image whose caption k images
// have scores 1/k, so that the mean is that share.
func distinctCaptions(captions [][]string) Score {
	images := make([]float64, len(captions))
	texts := make([]string, len(captions))
	times := make(map[string]int)
	for i, caption := range captions {
		texts[i] = strings.Join(caption, " ")
		times[texts[i]]++
	}
	for i, text := range texts {
		images[i] = 1 / float64(times[text])
	}
	share := float64(len(times)) / float64(len(captions))
	return NewScore("distinct_captions", metrics.Scores{Name: "distinct captions", Corpus: share, Images: images}, nil)
}

// meanLength is in tokens.
func meanLength(captions [][]string) Score {
	images := make([]float64, len(captions))
	for i, caption := range captions {
		images[i] = float64(len(caption))
	}
	return NewMean("mean_length", metrics.Scores{
		Name: "mean length in tokens", Corpus: metrics.MeanLength(captions), Images: images,
	})
}

// copies is the share of captions that the corpus has, token by token.
func copies(tokens []metrics.Tokens, corpus iter.Seq2[string, error]) ([]Score, error) {
	if corpus == nil {
		return nil, errors.New("copies: no corpus")
	}
	var failed error
	scores := metrics.Copies(candidates(tokens), func(yield func([]string) bool) {
		for caption, err := range corpus {
			if err != nil {
				failed = err
				return
			}
			if !yield(metrics.Tokenize(caption)) {
				return
			}
		}
	})
	return []Score{NewMean("copies", scores)}, failed
}

func candidates(tokens []metrics.Tokens) [][]string {
	captions := make([][]string, len(tokens))
	for i, t := range tokens {
		captions[i] = t.Candidate
	}
	return captions
}
