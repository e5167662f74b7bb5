// Package mapper turns a CLIP embedding [B, E] into a prefix [B, K, D] for the
// language model: the part of ClipCap (Mokady et al. 2021) that is always trained.
// Tensors bear the names that they have under clip_project in ClipCap's checkpoints;
// DeCap's one linear layer (Li et al. 2023) is clip_project.linear.
package mapper

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Network is a mapper: three implementations, one question.
type Network interface {
	// Prefix maps embeddings [B, E] to prefixes [B, K, D].
	Prefix(scope *model.Scope, embedding *Node) *Node
}

// Kind tells the two networks apart in a configuration.
type Kind string

// ClipCap's two mappers, and DeCap's.
const (
	KindMLP         Kind = "mlp"
	KindTransformer Kind = "transformer"
	KindLinear      Kind = "linear" // one layer
)

// Config describes a mapper of any kind.
type Config struct {
	Kind         Kind `json:"kind"`
	ClipWidth    int  `json:"clip_width"`    // E; ViT-B/32: 512, RN50x4: 640
	PrefixLength int  `json:"prefix_length"` // K; ClipCap: MLP 10, transformer 40
	Width        int  `json:"width"`         // D, of the language model; GPT-2 small: 768

	// The transformer's own.
	ClipLength int `json:"clip_length,omitempty"` // tokens made of the embedding; ClipCap: 40
	Layers     int `json:"layers,omitempty"`      // blocks; ClipCap: 8
	Heads      int `json:"heads,omitempty"`       // ClipCap: 8
}

// PaperMLP is the mapper of ClipCap's fine-tuned variant, for ViT-B/32 and GPT-2
// small.
func PaperMLP() Config {
	return Config{Kind: KindMLP, ClipWidth: 512, PrefixLength: 10, Width: 768}
}

// PaperTransformer is the mapper of ClipCap's released frozen variant, for RN50x4
// and GPT-2 small. (The paper's table is of a smaller one, with ten clip tokens.)
func PaperTransformer() Config {
	return Config{Kind: KindTransformer, ClipWidth: 640, PrefixLength: 40, Width: 768, ClipLength: 40, Layers: 8, Heads: 8}
}

// PaperLinear is DeCap's, for ViT-B/32 and a decoder of width 768.
func PaperLinear() Config {
	return Config{Kind: KindLinear, ClipWidth: 512, PrefixLength: 1, Width: 768}
}

// Network returns the mapper that c describes. c must be valid.
func (c Config) Network() Network {
	switch c.Kind {
	case KindTransformer:
		return transformer(c)
	case KindLinear:
		return linear(c)
	}
	return mlp(c)
}

// Validate reports the first field that cannot be built.
func (c Config) Validate() error {
	type size struct {
		name  string
		value int
	}
	sizes := []size{{"clip_width", c.ClipWidth}, {"prefix_length", c.PrefixLength}, {"width", c.Width}}
	switch c.Kind {
	case KindMLP, KindLinear:
	case KindTransformer:
		sizes = append(sizes, size{"clip_length", c.ClipLength}, size{"layers", c.Layers}, size{"heads", c.Heads})
	default:
		return fmt.Errorf("mapper: kind is %q, want %q, %q or %q", c.Kind, KindMLP, KindTransformer, KindLinear)
	}
	for _, s := range sizes {
		if s.value <= 0 {
			return fmt.Errorf("mapper: %s is %d, want more than 0", s.name, s.value)
		}
	}
	if c.Kind == KindMLP && c.PrefixLength*c.Width%2 != 0 {
		return fmt.Errorf("mapper: prefix_length %d × width %d is odd, and the hidden layer is half of it", c.PrefixLength, c.Width)
	}
	if c.Kind == KindTransformer && c.Width%c.Heads != 0 {
		return fmt.Errorf("mapper: width %d is not a multiple of %d heads", c.Width, c.Heads)
	}
	return nil
}
