package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/metrics"
)

// gapSet is photos and their captions, embedded.
type gapSet struct {
	photos  [][]float32
	texts   [][]float32
	of      []int // the photo of each text
	first   []int // the first text of each photo
	samples []metrics.Sample
}

// embed embeds the photos and all their captions. A caption is read as a text, and so
// it is no reference of what is written about that text, where there are others.
func (cmd *analyzeGapCmd) embed(ctx context.Context, c *console, model *captioner.Captioner) (*gapSet, error) {
	files := evalFiles{References: cmd.References, ReferencesFormat: "auto", Split: cmd.Split}
	references, err := files.readReferences()
	if err != nil {
		return nil, err
	}
	defer references.Close()
	photos, err := openPhotos(cmd.Photos)
	if err != nil {
		return nil, err
	}
	defer photos.close()
	pairing, err := photos.pair(references)
	if err != nil {
		return nil, err
	}
	defer pairing.Close()
	set, reader := &gapSet{}, likeness{model, photos.open}
	bar := newProgress(c.messages, min(cmd.Limit, pairing.Len()))
	defer bar.hide()
	for s, err := range pairing.Samples() {
		if err != nil {
			return nil, err
		}
		if len(set.photos) == cmd.Limit {
			break
		}
		if err := set.add(ctx, reader, s); err != nil {
			return nil, err
		}
		bar.step()
	}
	if len(set.photos) < 2 {
		return nil, errors.New("fewer than two photos with captions")
	}
	return set, nil
}

// add embeds a photo and its captions.
func (s *gapSet) add(ctx context.Context, reader likeness, sample dataset.Sample) error {
	if len(sample.References) == 0 {
		return nil
	}
	photo, err := reader.embedPhoto(ctx, sample.Candidates[0])
	if err != nil {
		return fmt.Errorf("%s: %w", sample.Candidates[0], err)
	}
	number := len(s.photos)
	s.photos, s.first = append(s.photos, photo), append(s.first, len(s.texts))
	for _, caption := range sample.References {
		text, err := reader.model.EmbedText(ctx, caption)
		if err != nil {
			return err
		}
		s.texts, s.of = append(s.texts, text), append(s.of, number)
	}
	others := sample.References
	if len(others) > 1 {
		others = others[1:]
	}
	s.samples = append(s.samples, metrics.Sample{ID: sample.Image, References: others})
	return nil
}

func (s *gapSet) firstTexts() [][]float32 {
	out := make([][]float32, len(s.first))
	for i, j := range s.first {
		out[i] = s.texts[j]
	}
	return out
}
