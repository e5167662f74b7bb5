// Package nn holds the layers that CLIP, GPT-2, RoBERTa and the mappers are
// made of, with the parameter names and memory layouts of PyTorch's modules, so
// that a variable's path is the name of a tensor in a checkpoint.
//
// The letters of shapes, used in every package that builds graphs:
//
//	B batch          T tokens (positions)   K prefix length
//	E CLIP width     D language-model width H heads
//	V vocabulary     P patches              C channels       N beams
//
// Where a [graph.Node] appears, a mistake in a shape panics; the executor of the
// graph turns the panic into an error.
package nn

import (
	"hash/fnv"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// SeedParam is the store's hyperparameter (an int64) from which parameters
// without a loaded value are drawn. Each parameter has its own stream, found from
// the seed and its path: adding a layer does not change the others.
const SeedParam = "seed"

// Init draws the first value of a parameter.
type Init func(g *Graph, rng *Node, shape shapes.Shape) *Node

// Param returns the parameter name of scope, float32, as a node of g. It is
// created with init where the store does not hold it yet.
func Param(scope *model.Scope, g *Graph, name string, init Init, dims ...int) *Node {
	seed := model.GetParamOr(scope, SeedParam, int64(0))
	path := model.JoinPath(scope.Scope(), name)
	initializer := func(g *Graph, shape shapes.Shape) *Node {
		return init(g, RNGStateFromSeedForGraph(g, streamSeed(seed, path)), shape)
	}
	shape := shapes.Make(dtypes.Float32, dims...)
	return scope.WithInitializer(initializer).VariableWithShape(name, shape).NodeValue(g)
}

func streamSeed(seed int64, path string) int64 {
	h := fnv.New64a()
	for shift := 0; shift < 64; shift += 8 {
		h.Write([]byte{byte(seed >> shift)})
	}
	h.Write([]byte(path))
	return int64(h.Sum64())
}

// Constant starts a parameter at value: 0 for biases, 1 for the gain of a
// normalisation.
func Constant(value float64) Init {
	return func(g *Graph, _ *Node, shape shapes.Shape) *Node { return FillScalar(g, shape, value) }
}

// Normal draws from N(0, std²).
func Normal(std float64) Init {
	return func(_ *Graph, rng *Node, shape shapes.Shape) *Node {
		_, values := RandomNormal(rng, shape)
		return MulScalar(values, std)
	}
}

// FanIn is the default of PyTorch's Linear: U(−1/√fanIn, 1/√fanIn), for weight
// and bias alike.
func FanIn(fanIn int) Init {
	bound := 1 / math.Sqrt(float64(fanIn))
	return func(_ *Graph, rng *Node, shape shapes.Shape) *Node {
		_, values := RandomUniform(rng, shape)
		return MulScalar(AddScalar(values, -0.5), 2*bound)
	}
}
