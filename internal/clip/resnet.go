package clip

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/nn"
)

const (
	expansion = 4  // of a bottleneck block's planes to its output
	reduction = 32 // of the photo's side to that of the last stage
)

// attentionWidth is the number of units that the attention of a tower splits into
// heads.
func (v Vision) attentionWidth() int {
	if v.IsResNet() {
		return reduction * v.Width
	}
	return v.Width
}

// resnet is CLIP's ModifiedResNet (Radford et al. 2021, section 2.4): a stem of
// three convolutions, pooling instead of strides, and attention in place of the
// closing average. Pixels [B, 3, S, S] become embeddings [B, E].
func (v Vision) resnet(visual *model.Scope, pixels *Node, embedDim int) *Node {
	x := TransposeAllAxes(pixels, 2, 0, 3, 1) // [H, B, W, C] from here on
	x = convolve(visual, "1", x, v.Width/2, 3, 2)
	x = convolve(visual, "2", x, v.Width/2, 3, 1)
	x = convolve(visual, "3", x, v.Width, 3, 1)
	x = nn.AvgPool2d(x, 2)
	for stage, blocks := range v.ResNet {
		planes, stride := v.Width<<stage, 2
		if stage == 0 {
			stride = 1
		}
		layer := visual.At("layer%d", stage+1)
		for block := range blocks {
			x = bottleneck(layer.At("%d", block), x, planes, stride)
			stride = 1
		}
	}
	return v.attentionPool(visual.At("attnpool"), x, embedDim)
}

// convolve is a convolution, its normalisation and ReLU, both named by number.
func convolve(scope *model.Scope, number string, x *Node, out, kernel, stride int) *Node {
	x = nn.Conv2d(scope.At("conv%s", number), x, out, kernel, stride)
	return nn.ReLU(nn.BatchNorm2d(scope.At("bn%s", number), x, 1))
}

// bottleneck is a residual block of x [H, B, W, C]; its last normalisation begins at
// zero, so that the block begins as the identity.
func bottleneck(scope *model.Scope, x *Node, planes, stride int) *Node {
	h := convolve(scope, "1", x, planes, 1, 1)
	h = convolve(scope, "2", h, planes, 3, 1)
	if stride > 1 {
		h = nn.AvgPool2d(h, stride)
	}
	h = nn.Conv2d(scope.At("conv3"), h, planes*expansion, 1, 1)
	h = nn.BatchNorm2d(scope.At("bn3"), h, 0)
	if stride > 1 || x.Shape().Dim(-1) != planes*expansion {
		down := scope.At("downsample")
		if stride > 1 {
			x = nn.AvgPool2d(x, stride)
		}
		x = nn.Conv2d(down.At("0"), x, planes*expansion, 1, 1)
		x = nn.BatchNorm2d(down.At("1"), x, 1)
	}
	return nn.ReLU(Add(x, h))
}

// attentionPool lets the mean of x [H, B, W, C] attend to itself and to all places:
// [B, E].
func (v Vision) attentionPool(scope *model.Scope, x *Node, embedDim int) *Node {
	dims := x.Shape().Dimensions
	batch, places, width := dims[1], dims[0]*dims[2], dims[3]
	x = Reshape(TransposeAllAxes(x, 1, 0, 2, 3), batch, places, width)
	x = Concatenate([]*Node{ReduceAndKeep(x, ReduceMean, 1), x}, 1)
	position := nn.Param(scope, x.Graph(), "positional_embedding", nn.Normal(1/math.Sqrt(float64(width))), places+1, width)
	x = Add(x, InsertAxes(position, 0))
	query := Slice(x, AxisRange(), AxisElem(0)) // [B, 1, C]
	project := func(name string, x *Node, out int) *Node {
		scope, fanIn := scope.At("%s", name), width
		weight := nn.Param(scope, x.Graph(), "weight", nn.Normal(1/math.Sqrt(float64(fanIn))), out, fanIn)
		return nn.Project(x, weight, nn.Param(scope, x.Graph(), "bias", nn.FanIn(fanIn), out))
	}
	mixed := nn.Attention(
		nn.SplitHeads(project("q_proj", query, width), v.Heads),
		nn.SplitHeads(project("k_proj", x, width), v.Heads),
		nn.SplitHeads(project("v_proj", x, width), v.Heads), nil, nil)
	return Reshape(project("c_proj", mixed, embedDim), batch, embedDim)
}
