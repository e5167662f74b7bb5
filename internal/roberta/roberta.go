package roberta

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/nn"
)

// Scopes of the encoder and of CgT-GAN's head in a store.
const (
	Scope     = "roberta"
	HeadScope = "mlp"
)

const (
	initialStd = 0.02 // of embeddings and weights
	tokenTypes = 1    // RoBERTa keeps BERT's table of segments, with one entry
)

// Hidden runs the encoder over ids [B, T], padded on the right, T at most
// [Config.MaxTokens]: the hidden states [B, T, D]. No text looks at its padding;
// what stands at padding is of no use.
func (c Config) Hidden(root *model.Scope, ids *Node) *Node {
	scope := root.At(Scope)
	words := NotEqual(ids, ConstAs(ids, c.PadToken))
	allowed := InsertAxes(words, 1, 1) // [B, 1, 1, T]
	x := c.embed(scope.At("embeddings"), ids, words)
	for layer := range c.Layers {
		block := scope.At("encoder").At("layer").At("%d", layer)
		x = c.attention(block.At("attention"), x, allowed)
		h := nn.GELU(c.linear(block.At("intermediate").At("dense"), x, c.Intermediate))
		x = c.addNorm(block.At("output"), h, x)
	}
	x.AssertDims(ids.Shape().Dim(0), ids.Shape().Dim(1), c.Width)
	return x
}

// embed sums the tables of words, positions and segments. Words stand at the
// positions from pad+1 on, all padding at pad: [B, T] → [B, T, D].
func (c Config) embed(scope *model.Scope, ids, words *Node) *Node {
	table := func(name string, rows int) *Node {
		return nn.Param(scope.At("%s", name), ids.Graph(), "weight", nn.Normal(initialStd), rows, c.Width)
	}
	index := Iota(ids.Graph(), ids.Shape(), 1)
	positions := AddScalar(Mul(ConvertDType(words, ids.DType()), AddScalar(index, 1)), c.PadToken)
	x := nn.Lookup(table("word_embeddings", c.VocabSize), ids)
	x = Add(x, nn.Lookup(table("position_embeddings", c.Positions), positions))
	x = Add(x, Reshape(table("token_type_embeddings", tokenTypes), 1, 1, c.Width))
	x = nn.LayerNorm(scope.At("LayerNorm"), x, c.Epsilon)
	return c.drop(scope, x)
}

// attention ends, like every half of a block, in a sum and its normalisation.
func (c Config) attention(scope *model.Scope, x, allowed *Node) *Node {
	self := scope.At("self")
	project := func(name string) *Node {
		return nn.SplitHeads(c.linear(self.At("%s", name), x, c.Width), c.Heads)
	}
	drop := nn.Dropout(self, x.Graph(), c.AttentionDropout)
	mixed := nn.Attention(project("query"), project("key"), project("value"), allowed, drop)
	return c.addNorm(scope.At("output"), mixed, x)
}

// addNorm is LayerNorm(x + dense(h)).
func (c Config) addNorm(scope *model.Scope, h, x *Node) *Node {
	h = c.drop(scope, c.linear(scope.At("dense"), h, c.Width))
	return nn.LayerNorm(scope.At("LayerNorm"), Add(x, h), c.Epsilon)
}

// Pooled is tanh(dense(h)) of the hidden state h at <s>: [B, T, D] → [B, D].
func (c Config) Pooled(root *model.Scope, hidden *Node) *Node {
	first := Reshape(Slice(hidden, AxisRange(), AxisElem(0)), hidden.Shape().Dim(0), c.Width)
	return Tanh(c.linear(root.At(Scope).At("pooler").At("dense"), first, c.Width))
}

// Logit is CgT-GAN's head, Linear(D, D/2), tanh, Linear(D/2, 1), which starts as
// PyTorch's Linear does: [B, D] → [B]. Large means that a person wrote the text.
func (c Config) Logit(root *model.Scope, pooled *Node) *Node {
	layers := root.At(HeadScope).At("model")
	h := Tanh(nn.Linear(layers.At("0"), pooled, c.Width/2))
	return Reshape(nn.Linear(layers.At("2"), h, 1), pooled.Shape().Dim(0))
}

// linear is torch.nn.Linear with RoBERTa's initial values.
func (c Config) linear(scope *model.Scope, x *Node, out int) *Node {
	g := x.Graph()
	weight := nn.Param(scope, g, "weight", nn.Normal(initialStd), out, x.Shape().Dim(-1))
	return nn.Project(x, weight, nn.Param(scope, g, "bias", nn.Constant(0), out))
}

func (c Config) drop(scope *model.Scope, x *Node) *Node {
	if f := nn.Dropout(scope, x.Graph(), c.HiddenDropout); f != nil {
		return f(x)
	}
	return x
}

// Declare asks for every variable of the encoder and its pooler, without running
// them. The head is not RoBERTa's.
func (c Config) Declare(root *model.Scope, g *Graph) {
	c.Pooled(root, c.Hidden(root, Zeros(g, shapes.Make(dtypes.Int32, 1, 1))))
}
