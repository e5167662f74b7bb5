// Package clipcap is the network of the whole family (Mokady et al. 2021): a
// mapper turns a CLIP embedding into a prefix, and GPT-2 continues it. Tensors
// bear the names of ClipCap's checkpoints: clip_project.… and gpt.transformer.….
package clipcap

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/nn"
)

// Scopes of the two networks in a store.
const (
	MapperScope = "clip_project"
	GPTScope    = "gpt"
)

// Config describes the mapper, the language model and what joins them.
type Config struct {
	Mapper mapper.Config `json:"mapper"`
	GPT    gpt2.Config   `json:"gpt"`

	// Normalize divides the embedding by its length before the mapper, in training
	// and inference alike. ClipCap: off for the MLP, on for the released transformer.
	Normalize bool `json:"normalize"`
}

// Validate reports the first part that cannot be built or does not fit.
func (c Config) Validate() error {
	if err := c.Mapper.Validate(); err != nil {
		return err
	}
	if err := c.GPT.Validate(); err != nil {
		return err
	}
	if c.Mapper.Width != c.GPT.Width {
		return fmt.Errorf("clipcap: the mapper makes vectors of width %d, the language model reads %d", c.Mapper.Width, c.GPT.Width)
	}
	if c.Mapper.PrefixLength >= c.GPT.Positions {
		return fmt.Errorf("clipcap: a prefix of %d fills the language model's %d positions", c.Mapper.PrefixLength, c.GPT.Positions)
	}
	return nil
}

// Prefix maps CLIP embeddings [B, E] to prefixes [B, K, D].
func (c Config) Prefix(root *model.Scope, embedding *Node) *Node {
	if c.Normalize {
		embedding = nn.Unit(embedding)
	}
	return c.Mapper.Network().Prefix(root.At(MapperScope), embedding)
}

// Logits predicts the tokens [B, T] of captions from their embeddings [B, E] and
// the tokens before: [B, T, V]. Row t is read at position K−1+t, so that the last
// vector of the prefix predicts the first token.
func (c Config) Logits(root *model.Scope, embedding, tokens *Node) *Node {
	return c.Continue(root, c.Prefix(root, embedding), tokens)
}

// Continue is [Config.Logits] from prefixes [B, K, D] on.
func (c Config) Continue(root *model.Scope, prefix, tokens *Node) *Node {
	gpt := gptScope(root)
	length := tokens.Shape().Dim(1)
	x := prefix
	if length > 1 { // the last token predicts nothing
		before := Slice(tokens, AxisRange(), AxisRange(0, length-1))
		x = Concatenate([]*Node{prefix, c.GPT.Embed(gpt, before)}, 1)
	}
	hidden, _ := c.GPT.Hidden(gpt, x)
	hidden = Slice(hidden, AxisRange(), AxisRangeToEnd(prefix.Shape().Dim(1)-1))
	return c.GPT.Logits(gpt, hidden)
}

func gptScope(root *model.Scope) *model.Scope { return root.At(GPTScope).At("transformer") }

// Declare asks for every variable of the mapper and the language model.
func (c Config) Declare(root *model.Scope, g *Graph) {
	embedding := Zeros(g, shapes.Make(dtypes.Float32, 1, c.Mapper.ClipWidth))
	c.Logits(root, embedding, Zeros(g, shapes.Make(dtypes.Int32, 1, 2)))
}
