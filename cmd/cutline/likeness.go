package main

import (
	"context"
	"math"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/internal/evaluate"
	"github.com/cutline-go/cutline/metrics"
)

// likeness compares captions with photos by a model's CLIP.
type likeness struct {
	model *captioner.Captioner
	open  opener
}

// embedPhoto reads and embeds a photo.
func (l likeness) embedPhoto(ctx context.Context, name string) ([]float32, error) {
	p := readPhoto(l.model, input{name: name}, l.open)
	if p.err != nil {
		return nil, p.err
	}
	return l.model.EmbedImage(ctx, p.image)
}

// similarity embeds a caption and returns its cosine with a photo's embedding.
func (l likeness) similarity(ctx context.Context, photo []float32, caption string) (float64, error) {
	text, err := l.model.EmbedText(ctx, caption)
	if err != nil {
		return 0, err
	}
	return cosine(photo, text), nil
}

// score is the mean similarity of many captions, each to its photo.
func (l likeness) score(similarities []float64) evaluate.Score {
	s := metrics.Scores{Name: "clip_similarity (" + l.model.Info().CLIP + ")", Images: similarities}
	for _, v := range similarities {
		s.Corpus += v / float64(len(similarities))
	}
	return evaluate.NewMean("clip_similarity", s)
}

// cosine is 0 where a vector is zero.
func cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb = dot+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return dot / math.Sqrt(aa*bb)
}
