package dataset

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// Sample is an image with the caption that is scored and those that it is scored
// against.
type Sample struct {
	Image      string // as the references name it
	Candidate  string
	References []string
	Domain     string // see [Record]
}

// Pairing is what [Pair] made of results and references. Each list but Samples
// holds names of images, of every one that was left out or is odd; nothing else is.
type Pairing struct {
	Samples []Sample // in the order of the results
	By      string   // how names were compared: "whole name" … "number"

	DuplicateResults    []string // the image has a result already, which is kept
	DuplicateReferences []string // the image came again; its captions are joined
	MissingReferences   []string // results without a reference, not scored
	MissingResults      []string // images with references but no result, not scored
	Ambiguous           []string // results whose name fits several images, not scored
	EmptyResults        []string // the caption is white space; scored as it is
	EmptyReferences     []string // the image has no captions, or some are white space; those are left out
}

// Pair finds the references of each result. Names are compared whole; if no result
// is found so, without folders; then without folders and extension; then by the
// number at their end, without leading zeros, so that COCO's image_id 391895 is
// COCO_val2014_000000391895.jpg. An image's ID counts as its name. One rule holds
// for all results. It is an error if no result has references by any.
func Pair(results iter.Seq2[Result, error], references iter.Seq2[Record, error]) (*Pairing, error) {
	var p Pairing
	images, err := p.collect(references)
	if err != nil {
		return nil, err
	}
	var list []Result
	for r, err := range results {
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	if len(list) == 0 || len(images) == 0 {
		return nil, errors.New("there are no results, or no references")
	}
	matches, by := matchNames(list, images)
	p.By = by
	p.addAll(list, matches, images)
	if len(p.Samples) == 0 {
		return nil, fmt.Errorf("no result has references: results have images like %.80q, references like %.80q",
			list[0].Image, images[0].Image)
	}
	return &p, nil
}

// collect joins the records of each image and leaves out empty captions.
func (p *Pairing) collect(references iter.Seq2[Record, error]) ([]Record, error) {
	var images []Record
	known := make(map[string]int)
	for r, err := range references {
		if err != nil {
			return nil, err
		}
		captions := nonempty(r.Captions)
		if len(captions) < max(1, len(r.Captions)) {
			p.EmptyReferences = append(p.EmptyReferences, r.Image)
		}
		if i, again := known[r.Image]; again {
			p.DuplicateReferences = append(p.DuplicateReferences, r.Image)
			images[i].Captions = append(images[i].Captions, captions...)
			continue
		}
		known[r.Image] = len(images)
		r.Captions = captions
		images = append(images, r)
	}
	return images, nil
}

// addAll adds a sample for each result that has references, and its name to the
// lists that say what is odd about it.
func (p *Pairing) addAll(results []Result, matches []int, images []Record) {
	scored := make([]bool, len(images))
	for i, r := range results {
		switch m := matches[i]; {
		case m == ambiguous:
			p.Ambiguous = append(p.Ambiguous, r.Image)
		case m == unknown || len(images[m].Captions) == 0:
			p.MissingReferences = append(p.MissingReferences, r.Image)
		case scored[m]:
			p.DuplicateResults = append(p.DuplicateResults, r.Image)
		default:
			scored[m] = true
			if strings.TrimSpace(r.Caption) == "" {
				p.EmptyResults = append(p.EmptyResults, r.Image)
			}
			p.Samples = append(p.Samples, Sample{images[m].Image, r.Caption, images[m].Captions, images[m].Domain})
		}
	}
	for i, image := range images {
		if !scored[i] && len(image.Captions) > 0 {
			p.MissingResults = append(p.MissingResults, image.Image)
		}
	}
}

// nonempty returns a new list of the captions that are more than white space.
func nonempty(captions []string) []string {
	var kept []string
	for _, c := range captions {
		if strings.TrimSpace(c) != "" {
			kept = append(kept, c)
		}
	}
	return kept
}
