package gpt2

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/nn"
)

// initialStd is GPT-2's standard deviation for embeddings and weights. The
// projections back into the residual stream are divided by √(2·layers).
const initialStd = 0.02

// KV holds one layer's keys and values, each [B, H, T, d].
type KV struct{ Keys, Values *Node }

// Embed looks up the ids [B, T] in wte: [B, T, D]. Positions are added by
// [Config.Hidden] and [Config.Next].
func (c Config) Embed(scope *model.Scope, ids *Node) *Node {
	return nn.Lookup(c.wte(scope, ids.Graph()), ids)
}

// Mix is [Config.Embed] of distributions over the vocabulary [..., V] in the place of
// ids: [..., D].
func (c Config) Mix(scope *model.Scope, shares *Node) *Node {
	return nn.Times(shares, c.wte(scope, shares.Graph()))
}

// Hidden runs the network over the embeddings x [B, T, D] at the positions
// 0..T−1, prefix and words alike: the hidden states after ln_f [B, T, D], and the
// keys and values of every layer.
func (c Config) Hidden(scope *model.Scope, x *Node) (*Node, []KV) {
	return c.read(scope, x, x.Shape().Dim(1))
}

// Last is [Config.Hidden] for who reads the last position alone: its hidden state
// [B, 1, D], and the keys and values of all positions.
func (c Config) Last(scope *model.Scope, x *Node) (*Node, []KV) { return c.read(scope, x, 1) }

// read runs the network over x for the hidden states of the last so many positions.
func (c Config) read(scope *model.Scope, x *Node, last int) (*Node, []KV) {
	g, length := x.Graph(), x.Shape().Dim(1)
	positions := Slice(c.wpe(scope, g), AxisRange(0, length))
	x = Add(x, InsertAxes(positions, 0))
	allowed := nn.CausalMask(g, length)
	return c.layers(scope, x, last, func(_ int, now KV) (KV, *Node) { return now, allowed })
}

// Next runs one further position of each of B sequences: x [B, 1, D] stands at
// the scalar position, past holds [B, H, M, d] per layer, filled up to it. The
// result is the hidden state [B, 1, D] and past with this position written.
func (c Config) Next(scope *model.Scope, x, position *Node, past []KV) (*Node, []KV) {
	g := x.Graph()
	row := Gather(c.wpe(scope, g), Reshape(position, 1))
	x = Add(x, Reshape(row, 1, 1, c.Width))
	room := past[0].Keys.Shape().Dim(2)
	allowed := nn.UpTo(position, room)
	here := Equal(
		Iota(g, shapes.Make(dtypes.Int32, 1, 1, room, 1), 2),
		BroadcastToDims(position, 1, 1, room, 1))
	return c.layers(scope, x, 1, func(layer int, now KV) (KV, *Node) {
		return KV{
			Keys:   write(past[layer].Keys, here, now.Keys),
			Values: write(past[layer].Values, here, now.Values),
		}, allowed
	})
}

// write puts row [B, H, 1, d] where here [1, 1, M, 1] is true. A Where over the
// whole cache stands in for DynamicUpdateSlice, which the go engine lacks; beside
// the weights that a step reads, the cache is small.
func write(cache, here, row *Node) *Node {
	dims := cache.Shape().Dimensions
	return Where(BroadcastToDims(here, dims...), BroadcastToDims(row, dims...), cache)
}

// Logits applies the tied head to hidden states [..., D]: [..., V].
func (c Config) Logits(scope *model.Scope, hidden *Node) *Node {
	return nn.Project(hidden, c.wte(scope, hidden.Graph()), nil)
}

func (c Config) wte(scope *model.Scope, g *Graph) *Node {
	return nn.Param(scope.At("wte"), g, "weight", nn.Normal(initialStd), c.VocabSize, c.Width)
}

func (c Config) wpe(scope *model.Scope, g *Graph) *Node {
	return nn.Param(scope.At("wpe"), g, "weight", nn.Normal(initialStd), c.Positions, c.Width)
}

// layers runs the blocks and ln_f; attend says, for a layer's new keys and
// values, which ones to look at and where. The result is of the last so many positions,
// which are all that the last block works on, but for its keys and values.
func (c Config) layers(scope *model.Scope, x *Node, last int, attend func(layer int, now KV) (KV, *Node)) (*Node, []KV) {
	x = apply(nn.Dropout(scope, x.Graph(), c.EmbeddingDropout), x)
	kept := make([]KV, c.Layers)
	for layer := range c.Layers {
		block := scope.At("h").At("%d", layer)
		queries := x.Shape().Dim(1)
		if layer == c.Layers-1 {
			queries = last
		}
		h := nn.LayerNorm(block.At("ln_1"), x, c.Epsilon)
		h, kept[layer] = c.attention(block.At("attn"), h, queries, func(now KV) (KV, *Node) { return attend(layer, now) })
		x = Add(nn.Last(x, 1, queries), h)
		h = nn.LayerNorm(block.At("ln_2"), x, c.Epsilon)
		x = Add(x, c.mlp(block.At("mlp"), h))
	}
	return nn.LayerNorm(scope.At("ln_f"), x, c.Epsilon), kept
}

// attention is that of the last so many queries.
func (c Config) attention(scope *model.Scope, x *Node, queries int, attend func(now KV) (KV, *Node)) (*Node, KV) {
	qkv := Split(nn.Conv1D(scope.At("c_attn"), x, 3*c.Width, initialStd), -1, 3)
	qkv[0] = nn.Last(qkv[0], 1, queries)
	for i := range qkv {
		qkv[i] = nn.SplitHeads(qkv[i], c.Heads)
	}
	kv, allowed := attend(KV{Keys: qkv[1], Values: qkv[2]})
	allowed = nn.Last(allowed, 2, queries)
	drop := nn.Dropout(scope, x.Graph(), c.AttentionDropout)
	mixed := nn.Attention(qkv[0], kv.Keys, kv.Values, allowed, drop)
	return c.residual(scope.At("c_proj"), mixed), kv
}

func (c Config) mlp(scope *model.Scope, x *Node) *Node {
	h := nn.GELUTanh(nn.Conv1D(scope.At("c_fc"), x, 4*c.Width, initialStd))
	return c.residual(scope.At("c_proj"), h)
}

// residual projects back to D and drops out, as both halves of a block end.
func (c Config) residual(scope *model.Scope, x *Node) *Node {
	std := initialStd / math.Sqrt(float64(2*c.Layers))
	return apply(nn.Dropout(scope, x.Graph(), c.ResidualDropout), nn.Conv1D(scope, x, c.Width, std))
}

func apply(f func(*Node) *Node, x *Node) *Node {
	if f == nil {
		return x
	}
	return f(x)
}

// Declare asks for every variable, without running the network.
func (c Config) Declare(scope *model.Scope, g *Graph) {
	ids := Zeros(g, shapes.Make(dtypes.Int32, 1, 1))
	c.Hidden(scope, c.Embed(scope, ids))
}
