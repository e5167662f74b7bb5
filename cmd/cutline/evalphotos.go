package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/dataset"
)

// photoSet is the photos of a folder or an archive.
type photoSet struct {
	names []string
	open  opener
	close func() error
}

func openPhotos(path string) (*photoSet, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		archive, err := dataset.OpenTar(path)
		if err != nil {
			return nil, err
		}
		photos := slices.DeleteFunc(archive.Names(), func(name string) bool { return !hasPhotoEnding(name) })
		if len(photos) == 0 {
			return nil, errors.Join(fmt.Errorf("%s: no photos in this archive", path), archive.Close())
		}
		return &photoSet{photos, archive.Open, archive.Close}, nil
	}
	set := &photoSet{open: dataset.Folder(path).Open, close: func() error { return nil }}
	for _, in := range walk(path) {
		name, err := filepath.Rel(path, in.name)
		if in.err != nil {
			err = fmt.Errorf("%s: %w", in.name, in.err)
		}
		if err != nil {
			return nil, err
		}
		set.names = append(set.names, filepath.ToSlash(name))
	}
	return set, nil
}

// pair finds each image's photo as [dataset.Pair] finds its caption: the candidate of
// a sample is the name of its photo.
func (s *photoSet) pair(references []dataset.Record) (*dataset.Pairing, error) {
	photos := make([]dataset.Result, len(s.names))
	for i, name := range s.names {
		photos[i] = dataset.Result{Image: name, Caption: name}
	}
	pairing, err := dataset.Pair(sequence(photos), sequence(references))
	if err != nil {
		return nil, fmt.Errorf("photos for results: %w", err)
	}
	return pairing, nil
}

// caption captions the photos that are paired with references. Where one fails, that is
// told, its image is among the oddities, and the error is errReported; where all do,
// there is no set.
func (s *photoSet) caption(ctx context.Context, c *console, model *captioner.Captioner, batch int,
	pairing *dataset.Pairing) (*captionSet, error) {
	inputs := make([]input, len(pairing.Samples))
	for i, sample := range pairing.Samples {
		inputs[i].name = sample.Candidate
	}
	written := make(captionsByPhoto)
	work := &captioning{model, c, s.open, written, newProgress(c.messages, len(inputs)), false}
	err := work.all(ctx, inputs, batch)
	if err != nil && !errors.Is(err, errReported) {
		return nil, err
	}
	var captioned []dataset.Sample
	var failed []string
	for _, sample := range pairing.Samples {
		photo := sample.Candidate
		if sample.Candidate = written[photo]; sample.Candidate == "" {
			failed = append(failed, photo)
		} else {
			captioned = append(captioned, sample)
		}
	}
	if len(captioned) == 0 {
		return nil, err
	}
	pairing.Samples = captioned
	set := newCaptionSet(pairing, "photo")
	set.oddities = append(set.oddities, oddity{"failed_photos", failed, "photos that could not be captioned, not scored"})
	return set, err
}

// captionsByPhoto is a sink that keeps the captions, which are never empty.
type captionsByPhoto map[string]string

func (c captionsByPhoto) write(r result) error { c[r.File] = r.Caption; return nil }
func (captionsByPhoto) close() error           { return nil }
