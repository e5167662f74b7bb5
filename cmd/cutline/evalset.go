package main

import (
	"fmt"
	"maps"
	"strings"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/evaluate"
	"github.com/cutline-go/cutline/metrics"
)

// captionSet is what is scored, and what is odd about where it comes from.
type captionSet struct {
	samples  []metrics.Sample
	by       string // what of the images' names was compared; see [dataset.Pair]
	oddities []oddity
}

// oddity is the images that something has to be said about.
type oddity struct {
	key    string
	images []string
	words  string // what they are
}

// newCaptionSet takes what was paired with references: of each a "result", or a "photo".
func newCaptionSet(p *dataset.Pairing, noun string) *captionSet {
	return &captionSet{samplesOf(p.Samples), p.By, []oddity{
		{"missing_references", p.MissingReferences, noun + "s without references, not scored"},
		{"missing_results", p.MissingResults, "references without a " + noun + ", not scored"},
		{"ambiguous_results", p.Ambiguous, noun + "s whose name fits several images, not scored"},
		{"duplicate_results", p.DuplicateResults, noun + "s for an image that has one, not scored"},
		{"duplicate_references", p.DuplicateReferences, "references for an image that has some, joined"},
		{"empty_results", p.EmptyResults, "empty results, scored as they are"},
		{"empty_references", p.EmptyReferences, "images with empty references, which are left out"},
	}}
}

func samplesOf(samples []dataset.Sample) []metrics.Sample {
	list := make([]metrics.Sample, len(samples))
	for i, s := range samples {
		list[i] = metrics.Sample{ID: s.Image, Candidate: s.Candidate, References: s.References}
	}
	return list
}

// describeAll returns a line for people about each oddity that there is.
func describeAll(oddities []oddity) []string {
	const shown = 3
	var lines []string
	for _, o := range oddities {
		if len(o.images) == 0 {
			continue
		}
		names := strings.Join(o.examples(shown), ", ")
		if len(o.images) > shown {
			names += ", …"
		}
		lines = append(lines, oneLine(fmt.Sprintf("%s: %d (%s)", o.words, len(o.images), names)))
	}
	return lines
}

// countAll returns how many images each oddity is of, 0 too, and what the scores count.
func countAll(oddities []oddity, scores []evaluate.Score) map[string]int {
	counts := make(map[string]int)
	for _, s := range scores {
		maps.Copy(counts, s.Counts)
	}
	for _, o := range oddities {
		counts[o.key] = len(o.images)
	}
	return counts
}

// exampleImages names images for programs: of 40,000 without a result, say, the first.
func exampleImages(oddities []oddity) map[string][]string {
	const shown = 100
	examples := make(map[string][]string)
	for _, o := range oddities {
		if len(o.images) > 0 {
			examples[o.key] = o.examples(shown)
		}
	}
	return examples
}

// examples returns the first images, n at most.
func (o oddity) examples(n int) []string { return o.images[:min(n, len(o.images))] }
