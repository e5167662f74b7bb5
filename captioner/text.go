package captioner

import (
	"context"
	"math"
	"strings"
	"unicode"

	"github.com/cutline-go/cutline/internal/decode"
)

// texts returns the captions that hypotheses spell, in their order, without empty
// ones and repetitions.
func (c *Captioner) texts(hypotheses []decode.Hypothesis) []Alternative {
	var out []Alternative
	seen := make(map[string]bool)
	for _, h := range hypotheses {
		text := c.line(h.Tokens)
		// A full stop alone says nothing either.
		if !seen[text] && strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			seen[text] = true
			out = append(out, Alternative{Text: text, LogProb: h.LogProb})
		}
	}
	return out
}

// line is the text of token ids as one line, in lower case where the model wants it.
func (c *Captioner) line(ids []int) string {
	text := c.folder.GPTTokenizer.Line(ids)
	if c.folder.Config.Lowercase {
		return strings.ToLower(text)
	}
	return text
}

// rate fills in the similarity of each photo's candidates with its embedding.
func (c *Captioner) rate(ctx context.Context, embeddings [][]float32, candidates [][]Alternative) error {
	var texts []string
	for _, alternatives := range candidates {
		for _, a := range alternatives {
			texts = append(texts, a.Text)
		}
	}
	captions, err := c.encodeTexts(ctx, texts)
	if err != nil {
		return err
	}
	for i, alternatives := range candidates {
		for j := range alternatives {
			alternatives[j].Similarity = cosine(embeddings[i], captions[0])
			captions = captions[1:]
		}
	}
	return nil
}

// encodeTexts returns the CLIP embeddings of texts, cut to its context length.
func (c *Captioner) encodeTexts(ctx context.Context, texts []string) ([][]float32, error) {
	tokens := make([][]int32, len(texts))
	for i, text := range texts {
		var err error
		if tokens[i], err = c.folder.CLIPTokenizer.Context(text, c.folder.Config.CLIP.Text.ContextLength, true); err != nil {
			return nil, err
		}
	}
	tower, err := c.textTower()
	if err != nil {
		return nil, err
	}
	return c.sound(tower.Text(ctx, tokens))
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
