package nn

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// QuickGELU is x·σ(1.702x), the activation of OpenAI's CLIP.
func QuickGELU(x *Node) *Node { return Mul(x, Sigmoid(MulScalar(x, 1.702))) }

// GELU is the exact form, x·Φ(x).
func GELU(x *Node) *Node {
	return Mul(MulScalar(x, 0.5), OnePlus(Erf(MulScalar(x, 1/math.Sqrt2))))
}

// GELUTanh is GPT-2's gelu_new: 0.5x(1 + tanh(√(2/π)(x + 0.044715x³))).
func GELUTanh(x *Node) *Node {
	cube := Mul(Square(x), x)
	inner := MulScalar(Add(x, MulScalar(cube, 0.044715)), math.Sqrt(2/math.Pi))
	return Mul(MulScalar(x, 0.5), OnePlus(Tanh(inner)))
}

// ReLU is max(x, 0).
func ReLU(x *Node) *Node { return Max(x, ZerosLike(x)) }
