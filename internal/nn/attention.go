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

// SplitHeads reshapes x [B, T, H·d] to [B, T, H, d].
func SplitHeads(x *Node, heads int) *Node {
	dims := x.Shape().Dimensions
	return Reshape(x, dims[0], dims[1], heads, dims[2]/heads)
}

// Attention is scaled dot-product attention. q is [B, Tq, H, d], k and v are
// [B, Tk, H, d]; allowed is boolean, broadcastable to [B, H, Tq, Tk], or nil; drop
// is applied to the weights. The result is [B, Tq, H·d].
func Attention(q, k, v, allowed *Node, drop func(*Node) *Node) *Node {
	dims := q.Shape().Dimensions
	scores := Einsum("bqhd,bkhd->bhqk", q, k)
	scores = MulScalar(scores, 1/math.Sqrt(float64(dims[3])))
	if allowed != nil {
		allowed = BroadcastToDims(allowed, scores.Shape().Dimensions...)
		scores = Where(allowed, scores, ConstAs(scores, masked))
	}
	weights := Softmax(scores, -1)
	if drop != nil {
		weights = drop(weights)
	}
	mixed := Einsum("bhqk,bkhd->bqhd", weights, v)
	return Reshape(mixed, dims[0], dims[1], dims[2]*dims[3])
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
