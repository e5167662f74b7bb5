package metrics

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"

	"github.com/cutline-go/cutline/internal/spill"
)

// DocumentCounter counts, as [CountDocuments] does, over references that are too many
// for memory: they come in portions, and of the different n-grams it holds half a
// million in memory and the rest in a temporary file.
type DocumentCounter struct {
	images int
	grams  *gramCounter
	common *spill.File // once counted: the n-grams of two images and more, sorted
}

// NewDocumentCounter returns a counter that has seen nothing. It is to be closed.
func NewDocumentCounter() *DocumentCounter {
	return &DocumentCounter{grams: newGramCounter(maxGrams)}
}

// Add counts the n-grams in the references of more samples. An error is that of the
// disk.
func (d *DocumentCounter) Add(samples []Tokens) error {
	d.images += len(samples)
	var lock sync.Mutex
	var failed error
	parallel(len(samples), func(begin, end int) {
		var found, grams []gram
		for _, s := range samples[begin:end] {
			grams = appendAllGrams(grams[:0], s.References...)
			slices.Sort(grams)
			found = append(found, slices.Compact(grams)...)
		}
		lock.Lock()
		defer lock.Unlock()
		if err := d.grams.add(found); err != nil {
			failed = fmt.Errorf("document frequencies: %w", err)
		}
	})
	return failed
}

// Frequencies returns the frequencies of all n-grams that the samples have, for CIDEr
// of these samples and no others. Nothing can be added afterwards.
func (d *DocumentCounter) Frequencies(samples []Tokens) (*DocumentFrequencies, error) {
	df := &DocumentFrequencies{logImages: math.Log(float64(d.images)), counts: d.grams.counts}
	if d.common == nil && len(d.grams.runs) == 0 {
		return df, nil
	}
	var err error
	if d.common == nil {
		err = d.finish()
	}
	if err == nil {
		df.counts, err = d.countsOf(samples)
	}
	if err != nil {
		return nil, fmt.Errorf("document frequencies: %w", err)
	}
	return df, nil
}

// finish adds up the runs. What occurs in one image weighs as what occurs in none, so
// it need not be kept: that is most of the n-grams.
func (d *DocumentCounter) finish() error {
	d.common = new(spill.File)
	out := bufio.NewWriter(d.common)
	err := d.grams.sorted(func(counts []gramCount) error {
		for _, g := range counts {
			if g.count < 2 {
				continue
			}
			if err := writeCount(out, g); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return cmp.Or(out.Flush(), d.grams.close())
}

// countsOf reads the counts of the samples' n-grams.
func (d *DocumentCounter) countsOf(samples []Tokens) (map[gram]int, error) {
	var grams []gram
	for _, s := range samples {
		grams = appendAllGrams(grams, s.Candidate)
		grams = appendAllGrams(grams, s.References...)
	}
	slices.Sort(grams)
	counts := make(map[gram]int)
	reader := newCountReader(io.NewSectionReader(d.common, 0, d.common.Size()))
	for _, g := range slices.Compact(grams) {
		err := reader.through(g, func(found gramCount) {
			if found.gram == g {
				counts[g] = found.count
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// Close frees the disk.
func (d *DocumentCounter) Close() error {
	err := d.grams.close()
	if d.common != nil {
		err = cmp.Or(err, d.common.Close())
	}
	return err
}
