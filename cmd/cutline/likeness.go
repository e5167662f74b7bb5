package main

import (
	"context"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/metrics"
)

// likeness compares captions with photos by a model's CLIP.
type likeness struct {
	model *captioner.Captioner
	open  opener
}

// isCLIPScore tells whether the model's CLIP is the one that CLIPScore is defined by,
// OpenAI's ViT-B/32, under the names of the paper, of the weights' file and of their
// folder. What a model folder says of its CLIP is believed.
func (l likeness) isCLIPScore() bool {
	switch l.model.Info().CLIP {
	case metrics.CLIPScoreModel, "ViT-B-32", "clip-vit-base-patch32":
		return true
	}
	return false
}

// embedPhoto reads and embeds a photo.
func (l likeness) embedPhoto(ctx context.Context, name string) ([]float32, error) {
	p := readPhoto(l.model, input{name: name}, l.open)
	if p.err != nil {
		return nil, p.err
	}
	return l.model.EmbedImage(ctx, p.image)
}

// compare embeds a text and compares it with a photo's embedding: by CLIPScore for the
// CLIP that has it, by the cosine for one of any other name.
func (l likeness) compare(ctx context.Context, clip string, photo []float32, text string) (float64, error) {
	embedding, err := l.model.EmbedText(ctx, text)
	if err != nil {
		return 0, err
	}
	scores, err := metrics.CLIPScores(clip, [][]float32{photo}, [][]float32{embedding})
	return scores.Corpus, err
}
