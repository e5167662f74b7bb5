package metrics

import (
	"iter"
	"math"
)

// DistinctCounter computes distinct-n, the share of different n-grams among all
// n-grams of captions together (Li et al., 2016: distinct-1, distinct-2). It holds half
// a million of them in memory and the rest in a temporary file.
type DistinctCounter struct {
	n, total int
	grams    *gramCounter
}

// NewDistinctCounter returns a counter of n-grams. It is to be closed.
func NewDistinctCounter(n int) *DistinctCounter {
	return &DistinctCounter{n: n, grams: newGramCounter(maxGrams)}
}

// Add counts the n-grams of more captions. An error is that of the disk.
func (d *DistinctCounter) Add(captions [][]string) error {
	var words, grams []gram
	for _, caption := range captions {
		words = appendWords(words[:0], caption)
		grams = appendGrams(grams[:0], words, d.n)
		d.total += len(grams)
		if err := d.grams.add(grams); err != nil {
			return err
		}
	}
	return nil
}

// Share returns the share, 0 without n-grams. Nothing can be added afterwards.
func (d *DistinctCounter) Share() (float64, error) {
	different := 0
	err := d.grams.sorted(func(counts []gramCount) error {
		different += len(counts)
		return nil
	})
	return float64(different) / float64(max(d.total, 1)), err
}

// Close frees the disk.
func (d *DistinctCounter) Close() error { return d.grams.close() }

// Distinct returns distinct-n of captions that fit in memory.
func Distinct(captions [][]string, n int) float64 {
	counter := DistinctCounter{n: n, grams: newGramCounter(math.MaxInt)}
	_ = counter.Add(captions) // fails on a full disk alone, and uses none
	share, _ := counter.Share()
	return share
}

// CaptionKey stands for a caption, token by token: a hash of 64 bits. That one of a
// million captions shares it with another of ten million has a chance of one in a
// million.
type CaptionKey uint64

// KeyOf returns the key of a caption.
func KeyOf(caption []string) CaptionKey {
	key := gram(len(caption))
	for _, word := range appendWords(nil, caption) {
		key = mix(key ^ word)
	}
	return CaptionKey(key)
}

// Copies tells for each caption whether the corpus has it, token by token: 1
// if so. The corpus score is the share of copies. The corpus is read once and
// not kept.
func Copies(captions []CaptionKey, corpus iter.Seq[[]string]) Scores {
	copied := make(map[CaptionKey]bool, len(captions))
	for _, key := range captions {
		copied[key] = false
	}
	for text := range corpus {
		key := KeyOf(text)
		if _, is := copied[key]; is {
			copied[key] = true
		}
	}
	images := make([]float64, len(captions))
	for i, key := range captions {
		if copied[key] {
			images[i] = 1
		}
	}
	return meanScores("copies", images)
}
