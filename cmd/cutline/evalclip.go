package main

import (
	"context"
	"fmt"

	"github.com/cutline-go/cutline/internal/evaluate"
	"github.com/cutline-go/cutline/metrics"
)

// clipScores compares the captions with their photos: CLIPScore and RefCLIPScore where
// the model's CLIP is the one that they are defined by, else the cosine by that CLIP.
// Texts are embedded as they are written, as the stand-alone program clipscore does.
func (s *scoring) clipScores(ctx context.Context, samples []metrics.Sample) ([]evaluate.Score, error) {
	if !s.likeness.isCLIPScore() {
		e, err := s.embed(ctx, samples, "", false)
		if err != nil {
			return nil, err
		}
		similarity, err := metrics.CLIPScores(s.model.Info().CLIP, e.photos, e.captions)
		return []evaluate.Score{evaluate.NewMean("clip_similarity", similarity)}, err
	}
	e, err := s.embed(ctx, samples, metrics.CLIPScorePrompt, true)
	if err != nil {
		return nil, err
	}
	alone, err := metrics.CLIPScores(metrics.CLIPScoreModel, e.photos, e.captions)
	if err != nil {
		return nil, err
	}
	referenced, err := metrics.RefCLIPScores(metrics.CLIPScoreModel, e.photos, e.captions, e.references)
	if err != nil {
		return nil, err
	}
	return []evaluate.Score{
		evaluate.NewMean("clipscore", alone), evaluate.NewMean("refclipscore", referenced),
	}, nil
}

// retrieval tells how many of the captions find their own photo among all photos.
func (s *scoring) retrieval(ctx context.Context, samples []metrics.Sample) ([]evaluate.Score, error) {
	e, err := s.embed(ctx, samples, "", false)
	if err != nil {
		return nil, err
	}
	found, err := metrics.SelfRetrieval(e.photos, e.captions)
	if err != nil {
		return nil, err
	}
	found.R1.Name = fmt.Sprintf("retrieval R@1 (%s)", s.model.Info().CLIP)
	found.R5.Name = fmt.Sprintf("retrieval R@5 (%s)", s.model.Info().CLIP)
	return []evaluate.Score{
		evaluate.NewMean("retrieval_r1", found.R1), evaluate.NewMean("retrieval_r5", found.R5),
	}, nil
}

// embedded is what a CLIP makes of samples, in their order.
type embedded struct {
	photos, captions [][]float32
	references       [][][]float32 // if they were asked for
}

// embed embeds each sample's photo and, after the prompt, its texts.
func (s *scoring) embed(ctx context.Context, samples []metrics.Sample, prompt string, references bool) (*embedded, error) {
	photos, err := s.photosOf(samples)
	if err != nil {
		return nil, err
	}
	s.console.stage("")
	bar := newProgress(s.console.messages, len(samples))
	defer bar.hide()
	var e embedded
	for _, sample := range samples {
		texts := []string{sample.Candidate}
		if references {
			texts = append(texts, sample.References...)
		}
		photo, vectors, err := s.embedOne(ctx, photos[sample.ID], prompt, texts)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", photos[sample.ID], err)
		}
		e.photos, e.captions = append(e.photos, photo), append(e.captions, vectors[0])
		e.references = append(e.references, vectors[1:])
		bar.step()
	}
	return &e, nil
}

// embedOne embeds a photo and texts about it.
func (s *scoring) embedOne(ctx context.Context, name, prompt string, texts []string) (photo []float32, vectors [][]float32, err error) {
	photo, err = cached(s.photoCache, name, func() ([]float32, error) { return s.likeness.embedPhoto(ctx, name) })
	if err != nil {
		return nil, nil, err
	}
	vectors = make([][]float32, len(texts))
	for i, text := range texts {
		text = prompt + text
		vectors[i], err = cached(s.textCache, text, func() ([]float32, error) { return s.model.EmbedText(ctx, text) })
		if err != nil {
			return nil, nil, err
		}
	}
	return photo, vectors, nil
}

// cached returns what the cache has under a key, or puts it there.
func cached(cache map[string][]float32, key string, embed func() ([]float32, error)) ([]float32, error) {
	if embedding, ok := cache[key]; ok {
		return embedding, nil
	}
	embedding, err := embed()
	if err == nil {
		cache[key] = embedding
	}
	return embedding, err
}

// photosOf returns the name of each sample's photo by the sample's ID.
func (s *scoring) photosOf(samples []metrics.Sample) (map[string]string, error) {
	pairing, err := s.photos.pair(s.references)
	if err != nil {
		return nil, err
	}
	photos := make(map[string]string, len(pairing.Samples))
	for _, sample := range pairing.Samples {
		photos[sample.Image] = sample.Candidate
	}
	for _, sample := range samples {
		if photos[sample.ID] == "" {
			return nil, fmt.Errorf("%s: no photo of %q", s.cmd.Photos, sample.ID)
		}
	}
	return photos, nil
}
