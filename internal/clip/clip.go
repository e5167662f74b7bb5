package clip

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/nn"
)

// EncodeImage maps preprocessed pixels [B, 3, S, S] to embeddings [B, E], not
// normalised.
func (c Config) EncodeImage(scope *model.Scope, pixels *Node) *Node {
	if c.Vision.IsResNet() {
		return c.Vision.resnet(scope.At("visual"), pixels, c.EmbedDim)
	}
	return c.encodeViT(scope, pixels)
}

func (c Config) encodeViT(scope *model.Scope, pixels *Node) *Node {
	v, visual, g := c.Vision, scope.At("visual"), pixels.Graph()
	scale := 1 / math.Sqrt(float64(v.Width))

	x := v.patches(visual, pixels) // [B, P, width]
	class := nn.Param(visual, g, "class_embedding", nn.Normal(scale), v.Width)
	batch, patches := x.Shape().Dim(0), x.Shape().Dim(1)
	x = Concatenate([]*Node{BroadcastPrefix(class, batch, 1), x}, 1)
	position := nn.Param(visual, g, "positional_embedding", nn.Normal(scale), patches+1, v.Width)
	x = nn.LayerNorm(visual.At("ln_pre"), Add(x, InsertAxes(position, 0)), epsilon)

	tower := tower{v.Width, v.Layers, v.Heads, c.Activation}
	first := Reshape(tower.blocks(visual.At("transformer"), x, nil, 1), batch, v.Width)
	first = nn.LayerNorm(visual.At("ln_post"), first, epsilon)
	return nn.Times(first, nn.Param(visual, g, "proj", nn.Normal(scale), v.Width, c.EmbedDim))
}

// patches is conv1, a convolution whose stride is its kernel, written as the
// matrix product that it is: [B, 3, S, S] → [B, P, width].
func (v Vision) patches(visual *model.Scope, pixels *Node) *Node {
	batch, size, grid := pixels.Shape().Dim(0), v.PatchSize, v.ImageSize/v.PatchSize
	fanIn := 3 * size * size
	kernel := nn.Param(visual.At("conv1"), pixels.Graph(), "weight", nn.FanIn(fanIn), v.Width, 3, size, size)
	x := Reshape(pixels, batch, 3, grid, size, grid, size)
	x = TransposeAllAxes(x, 0, 2, 4, 1, 3, 5)
	return nn.Project(Reshape(x, batch, grid*grid, fanIn), Reshape(kernel, v.Width, fanIn), nil)
}

// EncodeText maps token ids [B, T], T at most the context length, to embeddings
// [B, E], not normalised. Since no position looks ahead, padding after the end
// token changes nothing.
func (c Config) EncodeText(scope *model.Scope, tokens *Node) *Node {
	return c.EncodeWords(scope, c.Embed(scope, tokens), c.Text.endOf(tokens))
}

// EncodeWords is [Config.EncodeText] from what stands for the tokens, embeddings
// [B, T, width] that need be no token's, with the position of the end token [B].
func (c Config) EncodeWords(scope *model.Scope, words, end *Node) *Node {
	t, g, length := c.Text, words.Graph(), words.Shape().Dim(1)
	position := nn.Param(scope, g, "positional_embedding", nn.Normal(0.01), t.ContextLength, t.Width)
	x := Add(words, InsertAxes(Slice(position, AxisRange(0, length)), 0))

	tower := tower{t.Width, t.Layers, t.Heads, c.Activation}
	x = tower.blocks(scope.At("transformer"), x, nn.CausalMask(g, length), length)
	x = nn.LayerNorm(scope.At("ln_final"), x, epsilon)
	x = ReduceSum(Mul(x, InsertAxes(OneHot(end, length, x.DType()), -1)), 1) // [B, width]
	return nn.Times(x, nn.Param(scope, g, "text_projection", nn.Normal(1/math.Sqrt(float64(t.Width))), t.Width, c.EmbedDim))
}

// Embed looks up token ids [...] in the text tower's table: [..., width].
func (c Config) Embed(scope *model.Scope, ids *Node) *Node {
	t := c.Text
	return nn.Lookup(nn.Param(scope.At("token_embedding"), ids.Graph(), "weight", nn.Normal(0.02), t.VocabSize, t.Width), ids)
}

// endOf is the position of the end token in token ids [B, T]: [B].
func (t Text) endOf(tokens *Node) *Node {
	rank := tokens
	if t.EndToken != 0 {
		rank = ConvertDType(Equal(tokens, ConstAs(tokens, t.EndToken)), dtypes.Int32)
	}
	return ArgMax(rank, 1, dtypes.Int32) // of equal ones, the first
}

// Logits are the scaled cosines of every image with every text: [B, B'], from
// embeddings that need not be normalised.
func (c Config) Logits(scope *model.Scope, image, text *Node) *Node {
	cosines := Einsum("ie,te->it", nn.Unit(image), nn.Unit(text))
	return Mul(cosines, Exp(c.LogitScale(scope, image.Graph())))
}

// LogitScale is the logarithm of the inverse temperature, a scalar; CLIP starts
// it at ln(1/0.07).
func (c Config) LogitScale(scope *model.Scope, g *Graph) *Node {
	return nn.Param(scope, g, "logit_scale", nn.Constant(math.Log(1/0.07)))
}

// Declare asks for every variable of both towers, without running them.
func (c Config) Declare(scope *model.Scope, g *Graph) {
	size := c.Vision.ImageSize
	image := c.EncodeImage(scope, Zeros(g, shapes.Make(dtypes.Float32, 1, 3, size, size)))
	c.Logits(scope, image, c.DeclareText(scope, g))
}

// DeclareText asks for the variables of the text tower alone, and returns an embedding
// [1, E] that nobody computes.
func (c Config) DeclareText(scope *model.Scope, g *Graph) *Node {
	return c.EncodeText(scope, Zeros(g, shapes.Make(dtypes.Int32, 1, 1)))
}
