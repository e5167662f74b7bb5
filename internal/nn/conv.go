package nn

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Conv2d is torch.nn.Conv2d without bias, padded by half its kernel, with weight
// [out, C, kernel, kernel]. x is [B, H, W, C], channels last: the product over
// kernel and channels is then one of matrices, which every engine does well, while
// the convolutions that a gradient needs are slow in all of them.
func Conv2d(scope *model.Scope, x *Node, out, kernel, stride int) *Node {
	fanIn := kernel * kernel * width(x)
	weight := Param(scope, x.Graph(), "weight", FanIn(fanIn), out, width(x), kernel, kernel)
	// Fewer axes are fewer to count through for an engine that moves one number at a time.
	weight = Reshape(weight, out, width(x), kernel*kernel)
	weight = Reshape(TransposeAllAxes(weight, 2, 1, 0), fanIn, out)
	return Times(neighbourhoods(x, kernel, stride), weight)
}

// neighbourhoods gathers what the kernel sees at each of its places:
// [B, H, W, C] → [B, H', W', kernel²·C].
func neighbourhoods(x *Node, kernel, stride int) *Node {
	if kernel == 1 && stride == 1 {
		return x
	}
	height, width := places(x.Shape().Dim(1), stride), places(x.Shape().Dim(2), stride)
	around := func(dim, places int) PadAxis {
		return PadAxis{Start: kernel / 2, End: kernel - 1 - kernel/2 + places*stride - dim}
	}
	x = Pad(x, ScalarZero(x.Graph(), x.DType()),
		PadAxis{}, around(x.Shape().Dim(1), height), around(x.Shape().Dim(2), width), PadAxis{})
	var shifted []*Node
	for row := range kernel {
		for column := range kernel {
			shifted = append(shifted, every(stride, Slice(x, AxisRange(),
				AxisRange(row, row+height*stride), AxisRange(column, column+width*stride))))
		}
	}
	return Concatenate(shifted, -1)
}

// places is the number of places of a kernel, stride apart, along dim.
func places(dim, stride int) int { return (dim + stride - 1) / stride }

// every takes one row and column of x [B, H, W, C] in each stride of them. It does
// not slice by strides, whose gradient not every engine has.
func every(stride int, x *Node) *Node {
	if stride == 1 {
		return x
	}
	dims := x.Shape().Dimensions
	x = Reshape(x, dims[0], dims[1]/stride, stride, dims[2]/stride, stride, dims[3])
	x = Slice(x, AxisRange(), AxisRange(), AxisElem(0), AxisRange(), AxisElem(0))
	return Reshape(x, dims[0], dims[1]/stride, dims[2]/stride, dims[3])
}

// AvgPool2d is torch.nn.AvgPool2d: means of size × size pixels of x [B, H, W, C];
// rows and columns that are left over are dropped.
func AvgPool2d(x *Node, size int) *Node {
	dims := x.Shape().Dimensions
	height, width := dims[1]/size, dims[2]/size
	x = Slice(x, AxisRange(), AxisRange(0, height*size), AxisRange(0, width*size))
	return ReduceMean(Reshape(x, dims[0], height, size, width, size, dims[3]), 2, 4)
}
