package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/cutline-go/cutline/dataset"
)

// photoSet is the photos of a folder or an archive.
type photoSet struct {
	names []string
	open  opener
	close func() error
}

func openPhotos(path string) (*photoSet, error) {
	photos, names, close, err := dataset.OpenPhotos(path)
	if err != nil {
		return nil, err
	}
	return &photoSet{names, photos.Open, close}, nil
}

// pair finds each image's photo as [dataset.References.Pair] finds its caption: the
// candidate of a sample is the name of its photo.
func (s *photoSet) pair(references *dataset.References) (*dataset.Pairing, error) {
	pairing, err := references.Pair(func(yield func(dataset.Record, error) bool) {
		for _, name := range s.names {
			if !yield(dataset.Record{Image: name, Captions: []string{name}}, nil) {
				return
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("photos for results: %w", err)
	}
	return pairing, nil
}

// captionPhotos captions the photos that are paired with references. Where one fails,
// that is told, its image is among the oddities, and the error is errReported; where all
// do, there is no set.
func (s *scoring) captionPhotos(ctx context.Context) (*captionSet, error) {
	photos, err := s.photos.pair(s.references)
	if err != nil {
		return nil, err
	}
	defer photos.Close() // whose captions take their place
	set := newCaptionSet(photos, s.references, "photo")
	if err := s.cmd.checkDuplicates(set, s.cmd.Photos); err != nil {
		return nil, err
	}
	var inputs []input
	for sample, err := range photos.Samples() {
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, input{name: sample.Candidates[0]})
	}
	var failed error
	var lacking dataset.Names
	set.pairing, lacking, err = photos.Replace(func(yield func(dataset.Record, error) bool) {
		out := yieldingSink{func(r result) bool {
			return yield(dataset.Record{Image: r.File, Captions: s.cmd.captionsOf(r)}, nil)
		}}
		work := &captioning{s.model, s.console, s.photos.open, out, newProgress(s.console.messages, len(inputs)), false}
		failed = work.all(ctx, inputs, s.cmd.Batch)
	})
	switch {
	case err != nil:
		return nil, err
	case failed != nil && !errors.Is(failed, errReported), set.pairing.Len() == 0:
		return nil, errors.Join(failed, set.close())
	}
	set.oddities = append(set.oddities, oddity{"failed_photos", lacking, "photos that could not be captioned, not scored"})
	return set, failed
}

// captionsOf returns the captions of a photo that are scored.
func (cmd *evalCmd) captionsOf(r result) []string {
	if !cmd.scoresSets() {
		return []string{r.Caption}
	}
	var captions []string
	for _, c := range r.all() {
		captions = append(captions, c.Caption)
	}
	return captions
}

// yieldingSink hands captions on, as long as they are taken.
type yieldingSink struct{ yield func(result) bool }

func (s yieldingSink) write(r result) error {
	if !s.yield(r) {
		return errors.New("the captions are taken no longer")
	}
	return nil
}

func (yieldingSink) close() error { return nil }
