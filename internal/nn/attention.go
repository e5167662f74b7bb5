package nn

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/model"
)

// masked is what a score becomes where a query may not look. It is finite, so
// that a row without any allowed key has a softmax, and far enough down that the
// softmax of an allowed key does not feel it.
const masked = -1e9

// SplitHeads makes [B, H, T, d] of x [B, T, H·d]: each head's positions together, so
// that attention, and a cache that is kept in this shape, multiply them as they lie.
func SplitHeads(x *Node, heads int) *Node {
	dims := x.Shape().Dimensions
	if dims[1] == 1 { // nothing changes places
		return Reshape(x, dims[0], heads, 1, dims[2]/heads)
	}
	return TransposeAllAxes(Reshape(x, dims[0], dims[1], heads, dims[2]/heads), 0, 2, 1, 3)
}

// Attention is scaled dot-product attention. q is [B, H, Tq, d], k and v are
// [B, H, Tk, d], as SplitHeads makes them; allowed is boolean, broadcastable to
// [B, H, Tq, Tk], or nil; drop is applied to the weights. The result is [B, Tq, H·d].
func Attention(q, k, v, allowed *Node, drop func(*Node) *Node) *Node {
	dims := q.Shape().Dimensions
	scores := Einsum("bhqd,bhkd->bhqk", q, k)
	scores = MulScalar(scores, 1/math.Sqrt(float64(dims[3])))
	if allowed != nil {
		allowed = BroadcastToDims(allowed, scores.Shape().Dimensions...)
		scores = Where(allowed, scores, ConstAs(scores, masked))
	}
	weights := Softmax(scores, -1)
	if drop != nil {
		weights = drop(weights)
	}
	mixed := Einsum("bhqk,bhkd->bhqd", weights, v)
	if dims[2] > 1 {
		mixed = TransposeAllAxes(mixed, 0, 2, 1, 3)
	}
	return Reshape(mixed, dims[0], dims[2], dims[1]*dims[3])
}

// First is the first n places of x along an axis.
func First(x *Node, axis, n int) *Node { return between(x, axis, 0, n) }

// Last is the last n places of x along an axis.
func Last(x *Node, axis, n int) *Node {
	length := x.Shape().Dim(axis)
	return between(x, axis, length-n, length)
}

// between slices an axis, unless that is all of it: a slice has a gradient to compute.
func between(x *Node, axis, from, to int) *Node {
	if from == 0 && to == x.Shape().Dim(axis) {
		return x
	}
	return SliceAxis(x, axis, AxisRange(from, to))
}

// CausalMask allows position t to look at positions up to t: [1, 1, T, T].
func CausalMask(g *Graph, length int) *Node {
	return InsertAxes(LowerTriangular(g, length), 0, 0)
}

// UpTo allows keys at the positions 0..last of length: [1, 1, 1, length]. last is
// a scalar integer node.
func UpTo(last *Node, length int) *Node {
	positions := Iota(last.Graph(), shapes.Make(last.DType(), 1, 1, 1, length), 3)
	return LessOrEqual(positions, BroadcastToDims(last, 1, 1, 1, length))
}

// Dropout returns a function that zeroes each value with probability rate and
// scales up the rest, in graphs that the store marks as training; nil where there
// is nothing to do.
func Dropout(scope *model.Scope, g *Graph, rate float64) func(*Node) *Node {
	if rate == 0 || !scope.IsTraining(g) {
		return nil
	}
	return func(x *Node) *Node {
		return layers.Dropout(scope, x, Scalar(g, dtypes.Float32, rate))
	}
}
