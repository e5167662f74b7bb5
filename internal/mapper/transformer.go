package mapper

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/nn"
)

// epsilon is PyTorch's default for LayerNorm.
const epsilon = 1e-5

// transformer is ClipCap's second mapper, for a frozen language model. The
// embedding becomes ClipLength tokens, K learned constants stand behind them, and
// what the blocks make of the constants is the prefix. There are no positions,
// no mask and no closing LayerNorm.
type transformer Config

// Prefix maps embeddings [B, E] to prefixes [B, K, D].
func (t transformer) Prefix(scope *model.Scope, embedding *Node) *Node {
	embedding.AssertDims(-1, t.ClipWidth)
	batch := embedding.Shape().Dim(0)
	x := nn.Linear(scope.At("linear"), embedding, t.ClipLength*t.Width)
	x = Reshape(x, batch, t.ClipLength, t.Width)
	constant := nn.Param(scope, x.Graph(), "prefix_const", nn.Normal(1), t.PrefixLength, t.Width)
	x = Concatenate([]*Node{x, BroadcastPrefix(constant, batch)}, 1)
	for layer := range t.Layers {
		block := scope.At("transformer").At("layers").At("%d", layer)
		x = Add(x, t.attention(block.At("attn"), nn.LayerNorm(block.At("norm1"), x, epsilon)))
		x = Add(x, t.mlp(block.At("mlp"), nn.LayerNorm(block.At("norm2"), x, epsilon)))
	}
	return Slice(x, AxisRange(), AxisRangeToEnd(t.ClipLength))
}

// attention keeps queries apart from keys and values; the first D outputs of the
// latter are keys. Only the output projection has a bias.
func (t transformer) attention(scope *model.Scope, x *Node) *Node {
	queries := nn.LinearNoBias(scope.At("to_queries"), x, t.Width)
	kv := Split(nn.LinearNoBias(scope.At("to_keys_values"), x, 2*t.Width), -1, 2)
	mixed := nn.Attention(
		nn.SplitHeads(queries, t.Heads), nn.SplitHeads(kv[0], t.Heads), nn.SplitHeads(kv[1], t.Heads), nil, nil)
	return nn.Linear(scope.At("project"), mixed, t.Width)
}

// mlp widens by two, not by four.
func (t transformer) mlp(scope *model.Scope, x *Node) *Node {
	return nn.Linear(scope.At("fc2"), nn.ReLU(nn.Linear(scope.At("fc1"), x, 2*t.Width)), t.Width)
}
