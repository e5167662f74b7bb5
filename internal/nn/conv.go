package nn

import (
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Conv2d is torch.nn.Conv2d without bias, padded by half its kernel, with weight
// [out, C, kernel, kernel]. x is [H, B, W, C], channels last: the product over
// kernel and channels is then one of matrices, which every engine does well, while
// the convolutions that a gradient needs are slow in all of them. Rows come first, so that
// those that a place of the kernel sees lie one behind another for a whole batch.
func Conv2d(scope *model.Scope, x *Node, out, kernel, stride int) *Node {
	channels := width(x)
	fanIn := kernel * kernel * channels
	weight := Param(scope, x.Graph(), "weight", FanIn(fanIn), out, channels, kernel, kernel)
	// Fewer axes are fewer to count through for an engine that moves one number at a time.
	weight = TransposeAllAxes(Reshape(weight, out, channels, kernel*kernel), 2, 1, 0)
	if kernel == 1 && stride == 1 {
		return Times(x, Reshape(weight, fanIn, out))
	}
	return Einsum("hbwkc,kco->hbwo", neighbourhoods(x, kernel, stride), Reshape(weight, kernel, kernel*channels, out))
}

// neighbourhoods gathers what the kernel sees at each of its places, row by row:
// [H, B, W, C] → [H', B, W', kernel, kernel·C].
func neighbourhoods(x *Node, kernel, stride int) *Node {
	height, width := places(x.Shape().Dim(0), stride), places(x.Shape().Dim(2), stride)
	around := func(dim, places int) PadAxis {
		return PadAxis{Start: kernel / 2, End: kernel - 1 - kernel/2 + places*stride - dim}
	}
	x = Pad(x, ScalarZero(x.Graph(), x.DType()),
		around(x.Shape().Dim(0), height), PadAxis{}, around(x.Shape().Dim(2), width), PadAxis{})
	var columns, rows []*Node
	for i := range kernel {
		columns = append(columns, every(stride, 2, SliceAxis(x, 2, AxisRange(i, i+width*stride))))
	}
	x = Concatenate(columns, -1)
	for i := range kernel {
		rows = append(rows, InsertAxes(every(stride, 0, SliceAxis(x, 0, AxisRange(i, i+height*stride))), 3))
	}
	return Concatenate(rows, 3)
}

// places is the number of places of a kernel, stride apart, along dim.
func places(dim, stride int) int { return (dim + stride - 1) / stride }

// every takes one in each stride of the places of x [H, B, W, C] along an axis. It does
// not slice by strides, whose gradient not every engine has.
func every(stride, axis int, x *Node) *Node {
	if stride == 1 {
		return x
	}
	dims := x.Shape().Clone().Dimensions
	dims[axis] /= stride
	x = Reshape(x, slices.Insert(slices.Clone(dims), axis+1, stride)...)
	return Reshape(SliceAxis(x, axis+1, AxisElem(0)), dims...)
}

// AvgPool2d is torch.nn.AvgPool2d: means of size × size pixels of x [H, B, W, C];
// rows and columns that are left over are dropped.
func AvgPool2d(x *Node, size int) *Node {
	dims := x.Shape().Dimensions
	height, width := dims[0]/size, dims[2]/size
	x = Slice(x, AxisRange(0, height*size), AxisRange(), AxisRange(0, width*size))
	return ReduceMean(Reshape(x, height, size, dims[1], width, size, dims[3]), 1, 4)
}
