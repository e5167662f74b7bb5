// Package gpt2 is the language model GPT-2 (Radford et al. 2019), with the tensor
// names of Hugging Face's checkpoints: wte, wpe, h.N.…, ln_f; the head is tied to
// wte. It reads embeddings, not ids, so that a prefix can stand before the words.
package gpt2

import (
	"fmt"
	"math"
)

// Config is the part of Hugging Face's config.json that shapes the network.
type Config struct {
	VocabSize int     `json:"vocab_size"`         // V, entries; GPT-2: 50257
	Positions int     `json:"n_positions"`        // longest sequence, prefix included; GPT-2: 1024
	Width     int     `json:"n_embd"`             // D, units; small 768, XL 1600
	Layers    int     `json:"n_layer"`            // blocks; small 12, XL 48
	Heads     int     `json:"n_head"`             // H; small 12, XL 25
	Epsilon   float64 `json:"layer_norm_epsilon"` // GPT-2: 1e-5

	// Dropout rates while training, 0 to 1; GPT-2: 0.1 each.
	EmbeddingDropout float64 `json:"embd_pdrop"`
	AttentionDropout float64 `json:"attn_pdrop"`
	ResidualDropout  float64 `json:"resid_pdrop"`
}

// Small is the 124-million-parameter GPT-2 that ClipCap uses.
func Small() Config {
	return Config{
		VocabSize: 50257, Positions: 1024, Width: 768, Layers: 12, Heads: 12, Epsilon: 1e-5,
		EmbeddingDropout: 0.1, AttentionDropout: 0.1, ResidualDropout: 0.1,
	}
}

// WithoutDropout is c as a frozen network runs, also inside a training graph.
func (c Config) WithoutDropout() Config {
	c.EmbeddingDropout, c.AttentionDropout, c.ResidualDropout = 0, 0, 0
	return c
}

// Validate reports the first size that cannot be built.
func (c Config) Validate() error {
	for _, size := range []struct {
		name  string
		value int
	}{
		{"vocab_size", c.VocabSize}, {"n_positions", c.Positions}, {"n_embd", c.Width},
		{"n_layer", c.Layers}, {"n_head", c.Heads},
	} {
		if size.value <= 0 {
			return fmt.Errorf("gpt2: %s is %d, want more than 0", size.name, size.value)
		}
	}
	if c.Width%c.Heads != 0 {
		return fmt.Errorf("gpt2: n_embd %d is not a multiple of n_head %d", c.Width, c.Heads)
	}
	if !(c.Epsilon > 0) || math.IsInf(c.Epsilon, 0) {
		return fmt.Errorf("gpt2: layer_norm_epsilon is %g, want more than 0", c.Epsilon)
	}
	return nil
}
