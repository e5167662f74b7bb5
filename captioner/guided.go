package captioner

import (
	"cmp"
	"context"
	"fmt"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/modelfolder"
)

// contrast fills in how a model of MAGIC's kind searches, which the CLIP guides.
func (d Decoding) contrast(c modelfolder.Config) (decode.Contrast, error) {
	o := c.MAGIC.Contrast
	o.Length = cmp.Or(d.MaxLength, o.Length)
	if d != (Decoding{MaxLength: d.MaxLength, Align: d.Align}) {
		return o, fmt.Errorf("decoding: model %q is guided by its CLIP as its folder says; only max_length can be set", c.Name)
	}
	if room := c.LanguageModel.Positions - 1; o.Length > room {
		return o, fmt.Errorf("decoding: max_length is %d, but model %q has room for %d tokens", o.Length, c.Name, room)
	}
	return o, o.Validate()
}

// searchGuided lets the language model write, guided by the photos' embeddings.
func (c *Captioner) searchGuided(ctx context.Context, embeddings [][]float32) ([][]decode.Hypothesis, error) {
	if len(embeddings) == 0 {
		return nil, nil
	}
	scale, err := clip.Scale(c.store)
	if err != nil {
		return nil, err
	}
	prompts := make([][]int, len(embeddings))
	for i := range prompts {
		prompts[i] = []int{c.folder.Config.MAGIC.Start}
	}
	session, err := c.generator.StartTexts(prompts, c.guided.Length)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	found, err := decode.SearchContrastive(ctx, session, c.guided, c.guide(embeddings, scale))
	if err != nil {
		return nil, err
	}
	out := make([][]decode.Hypothesis, len(found))
	for i, hypothesis := range found {
		out[i] = []decode.Hypothesis{hypothesis}
	}
	return out, nil
}

// guide tells the cosines of a photo's embedding with texts, scaled.
func (c *Captioner) guide(embeddings [][]float32, scale float64) decode.Guide {
	return func(ctx context.Context, i int, texts [][]int) ([]float64, error) {
		lines := make([]string, len(texts))
		for j, tokens := range texts {
			lines[j] = c.line(tokens)
		}
		encoded, err := c.encodeTexts(ctx, lines)
		if err != nil {
			return nil, err
		}
		out := make([]float64, len(encoded))
		for j, text := range encoded {
			out[j] = scale * cosine(embeddings[i], text)
		}
		return out, nil
	}
}
