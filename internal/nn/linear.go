package nn

import (
	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/nn"
)

// Linear is torch.nn.Linear: x·Wᵀ + b with weight [out, in] and bias [out], both
// drawn with [FanIn]. x is [..., in].
func Linear(scope *model.Scope, x *Node, out int) *Node {
	in := width(x)
	bias := Param(scope, x.Graph(), "bias", FanIn(in), out)
	return Project(x, Param(scope, x.Graph(), "weight", FanIn(in), out, in), bias)
}

// LinearNoBias is [Linear] without the bias.
func LinearNoBias(scope *model.Scope, x *Node, out int) *Node {
	in := width(x)
	return Project(x, Param(scope, x.Graph(), "weight", FanIn(in), out, in), nil)
}

// Project computes x·Wᵀ + b for a weight [out, in]; b may be nil.
func Project(x, weight, bias *Node) *Node {
	// No activation is asked for here: nn.Dense drops those that it does not know
	// and turns the tanh GELU into the exact one.
	return nn.Dense(x, weight, bias, compute.DenseLayoutOutputsInput)
}

// Conv1D is GPT-2's name for a linear layer stored transposed: x·W + b with
// weight [in, out] and bias [out]. The weight is drawn from N(0, std²).
func Conv1D(scope *model.Scope, x *Node, out int, std float64) *Node {
	g := x.Graph()
	weight := Param(scope, g, "weight", Normal(std), width(x), out)
	bias := Param(scope, g, "bias", Constant(0), out)
	return nn.Dense(x, weight, bias, compute.DenseLayoutInputOutputs)
}

// Times computes x·W for a weight [in, out] that is a bare parameter, as CLIP's
// projections are.
func Times(x, weight *Node) *Node {
	return nn.Dense(x, weight, nil, compute.DenseLayoutInputOutputs)
}

// Lookup returns the rows of table [V, D] that ids [...] name: [..., D].
func Lookup(table, ids *Node) *Node {
	return Gather(table, InsertAxes(ids, -1))
}

// LayerNorm is torch.nn.LayerNorm over the last axis.
func LayerNorm(scope *model.Scope, x *Node, epsilon float64) *Node {
	g := x.Graph()
	gain := Param(scope, g, "weight", Constant(1), width(x))
	bias := Param(scope, g, "bias", Constant(0), width(x))
	return nn.LayerNorm(x, []int{-1}, epsilon, gain, bias, nil)
}

// Unit divides each vector of the last axis by its length, as
// x / x.norm(2, -1) does. A zero vector stays zero instead of becoming NaN.
func Unit(x *Node) *Node {
	norm := Sqrt(ReduceAndKeep(Square(x), ReduceSum, -1))
	return Div(x, Max(norm, ConstAs(norm, 1e-12)))
}

func width(x *Node) int { return x.Shape().Dim(-1) }
