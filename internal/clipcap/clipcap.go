// Package clipcap is the network of the whole family (Mokady et al. 2021): a
// mapper turns a CLIP embedding into a prefix, and GPT-2 continues it. Tensors
// bear the names of ClipCap's checkpoints: clip_project.… and gpt.transformer.….
package clipcap

import (
	"fmt"
	"math"

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

	// Scale divides the embedding before the mapper; 0: it does not. ESPER: √(K·D/E).
	Scale float64 `json:"scale,omitempty"`

	// Prompt is tokens between the prefix and the caption, as ESPER has them; they are no
	// part of the caption.
	Prompt []int `json:"prompt,omitempty"`
}

// Begin is the number of positions before a caption: the prefix and the prompt.
func (c Config) Begin() int { return c.Mapper.PrefixLength + len(c.Prompt) }

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
	if c.Begin() >= c.GPT.Positions {
		return fmt.Errorf("clipcap: a prefix of %d fills the language model's %d positions", c.Begin(), c.GPT.Positions)
	}
	if !(c.Scale >= 0) || math.IsInf(c.Scale, 0) {
		return fmt.Errorf("clipcap: scale is %g, want 0 or more", c.Scale)
	}
	for _, id := range c.Prompt {
		if id < 0 || id >= c.GPT.VocabSize {
			return fmt.Errorf("clipcap: the prompt's token %d is outside of the vocabulary of %d", id, c.GPT.VocabSize)
		}
	}
	return nil
}

// Prefix maps CLIP embeddings [B, E] to what stands before a caption [B, K, D], K being
// [Config.Begin].
func (c Config) Prefix(root *model.Scope, embedding *Node) *Node {
	if c.Normalize {
		embedding = nn.Unit(embedding)
	}
	if c.Scale != 0 {
		embedding = DivScalar(embedding, c.Scale)
	}
	prefix := c.Mapper.Network().Prefix(root.At(MapperScope), embedding)
	if len(c.Prompt) == 0 {
		return prefix
	}
	ids := BroadcastToDims(InsertAxes(Const(embedding.Graph(), int32s(c.Prompt)), 0), embedding.Shape().Dim(0), len(c.Prompt))
	return Concatenate([]*Node{prefix, c.GPT.Embed(gptScope(root), ids)}, 1)
}

func int32s(ids []int) []int32 {
	out := make([]int32, len(ids))
	for i, id := range ids {
		out[i] = int32(id)
	}
	return out
}

// Logits predicts the tokens [B, T] of captions from their embeddings [B, E] and
// the tokens before: [B, T, V]. Row t is read at position K−1+t, so that the last
// vector of the prefix predicts the first token.
func (c Config) Logits(root *model.Scope, embedding, tokens *Node) *Node {
	return c.Continue(root, c.Prefix(root, embedding), tokens)
}

// Continue is [Config.Logits] from prefixes [B, K, D] on.
func (c Config) Continue(root *model.Scope, prefix, tokens *Node) *Node {
	return c.GPT.Logits(gptScope(root), c.States(root, prefix, tokens))
}

// States are the hidden states [B, T, D] that the logits of [Config.Continue] are of.
func (c Config) States(root *model.Scope, prefix, tokens *Node) *Node {
	gpt := gptScope(root)
	length := tokens.Shape().Dim(1)
	x := prefix
	if length > 1 { // the last token predicts nothing
		before := Slice(tokens, AxisRange(), AxisRange(0, length-1))
		x = Concatenate([]*Node{prefix, c.GPT.Embed(gpt, before)}, 1)
	}
	hidden, _ := c.GPT.Hidden(gpt, x)
	return Slice(hidden, AxisRange(), AxisRangeToEnd(prefix.Shape().Dim(1)-1))
}

func gptScope(root *model.Scope) *model.Scope { return root.At(GPTScope).At("transformer") }

// Declare asks for every variable of the mapper and the language model.
func (c Config) Declare(root *model.Scope, g *Graph) {
	embedding := Zeros(g, shapes.Make(dtypes.Float32, 1, c.Mapper.ClipWidth))
	c.Logits(root, embedding, Zeros(g, shapes.Make(dtypes.Int32, 1, 2)))
}
