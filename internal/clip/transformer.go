package clip

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/nn"
)

// tower is the stack of residual blocks that both towers share.
type tower struct {
	width, layers, heads int
	activation           Activation
}

// blocks runs x [B, T, width] through resblocks.0, resblocks.1, …; allowed is the
// attention mask, or nil. The result is of the first read positions, which are all that
// the last block works on: [B, read, width].
func (t tower) blocks(scope *model.Scope, x, allowed *Node, read int) *Node {
	for layer := range t.layers {
		block := scope.At("resblocks").At("%d", layer)
		queries := x.Shape().Dim(1)
		if layer == t.layers-1 {
			queries = read
		}
		h := nn.LayerNorm(block.At("ln_1"), x, epsilon)
		x = Add(nn.First(x, 1, queries), t.attention(block.At("attn"), h, allowed, queries))
		h = nn.LayerNorm(block.At("ln_2"), x, epsilon)
		x = Add(x, t.mlp(block.At("mlp"), h))
	}
	return x
}

// attention is torch.nn.MultiheadAttention for the first so many queries: queries, keys
// and values are the thirds of one projection.
func (t tower) attention(scope *model.Scope, x, allowed *Node, queries int) *Node {
	g := x.Graph()
	weight := nn.Param(scope, g, "in_proj_weight", nn.Normal(1/math.Sqrt(float64(t.width))), 3*t.width, t.width)
	bias := nn.Param(scope, g, "in_proj_bias", nn.Constant(0), 3*t.width)
	qkv := Split(nn.Project(x, weight, bias), -1, 3)
	qkv[0] = nn.First(qkv[0], 1, queries)
	for i := range qkv {
		qkv[i] = nn.SplitHeads(qkv[i], t.heads)
	}
	mixed := nn.Attention(qkv[0], qkv[1], qkv[2], allowed, nil)
	return t.linear(scope.At("out_proj"), mixed, t.width, t.residualStd())
}

func (t tower) mlp(scope *model.Scope, x *Node) *Node {
	h := t.linear(scope.At("c_fc"), x, 4*t.width, 1/math.Sqrt(float64(2*t.width)))
	if t.activation == QuickGELU {
		h = nn.QuickGELU(h)
	} else {
		h = nn.GELU(h)
	}
	return t.linear(scope.At("c_proj"), h, t.width, t.residualStd())
}

// linear is torch.nn.Linear with the initial values of OpenAI's CLIP: N(0, std²)
// and a zero bias.
func (t tower) linear(scope *model.Scope, x *Node, out int, std float64) *Node {
	g := x.Graph()
	weight := nn.Param(scope, g, "weight", nn.Normal(std), out, x.Shape().Dim(-1))
	return nn.Project(x, weight, nn.Param(scope, g, "bias", nn.Constant(0), out))
}

// residualStd is width^-½·(2·layers)^-½, for what is added to the residual stream.
func (t tower) residualStd() float64 {
	return 1 / math.Sqrt(float64(t.width)*2*float64(t.layers))
}
