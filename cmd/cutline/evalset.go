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
	pairing    *dataset.Pairing
	references *dataset.References
	by         string // what of the images' names was compared; see [dataset.References.Pair]
	oddities   []oddity
}

// oddity is the images that something has to be said about.
type oddity struct {
	key    string
	images dataset.Names
	words  string // what they are
}

// newCaptionSet takes what was paired with references: of each a "result", or a "photo".
func newCaptionSet(p *dataset.Pairing, references *dataset.References, noun string) *captionSet {
	return &captionSet{p, references, p.By, []oddity{
		{"missing_references", p.MissingReferences, noun + "s without references, not scored"},
		{"missing_results", p.MissingResults, "references without a " + noun + ", not scored"},
		{"ambiguous_results", p.Ambiguous, noun + "s whose name fits several images, not scored"},
		{"duplicate_results", p.DuplicateResults, noun + "s for an image that has one, not scored"},
		{"duplicate_references", references.Duplicate, "references for an image that has some, joined"},
		{"empty_results", p.EmptyResults, "empty results, scored as they are"},
		{"empty_references", references.Empty, "images with empty references, which are left out"},
	}}
}

func (s *captionSet) close() error { return s.pairing.Close() }

// captionsOf are the captions of a pairing as they are scored.
func captionsOf(p *dataset.Pairing) evaluate.Captions {
	return evaluate.Captions{Images: p.Len(), Samples: func(yield func(evaluate.Sample, error) bool) {
		for s, err := range p.Samples() {
			sample := evaluate.Sample{Sample: metrics.Sample{ID: s.Image, References: s.References}}
			if len(s.Candidates) > 0 {
				sample.Candidate, sample.More = s.Candidates[0], s.Candidates[1:]
			}
			if !yield(sample, err) {
				return
			}
		}
	}}
}

// domain is the images of one of nocaps' domains.
type domain struct {
	name   string
	images int
	member []bool // of each image whether it is one
}

// domainsOf returns the domains of the images, if there are several, in the order in
// which they come.
func domainsOf(p *dataset.Pairing) ([]domain, error) {
	var domains []domain
	known := make(map[string]int)
	i := 0
	for s, err := range p.Samples() {
		if err != nil {
			return nil, err
		}
		if _, is := known[s.Domain]; !is {
			known[s.Domain] = len(domains)
			domains = append(domains, domain{s.Domain, 0, make([]bool, p.Len())})
		}
		d := &domains[known[s.Domain]]
		d.member[i] = true
		d.images++
		i++
	}
	if len(domains) < 2 {
		return nil, nil
	}
	return domains, nil
}

// describeAll returns a line for people about each oddity that there is.
func describeAll(oddities []oddity) []string {
	const shown = 3
	var lines []string
	for _, o := range oddities {
		if o.images.Count == 0 {
			continue
		}
		names := strings.Join(o.images.First[:min(shown, len(o.images.First))], ", ")
		if o.images.Count > shown {
			names += ", …"
		}
		lines = append(lines, oneLine(fmt.Sprintf("%s: %d (%s)", o.words, o.images.Count, names)))
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
		counts[o.key] = o.images.Count
	}
	return counts
}

// exampleImages names images for programs: of 40,000 without a result, say, the first.
func exampleImages(oddities []oddity) map[string][]string {
	examples := make(map[string][]string)
	for _, o := range oddities {
		if o.images.Count > 0 {
			examples[o.key] = o.images.First
		}
	}
	return examples
}
