package engine

import (
	"math"

	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"

	"github.com/cutline-go/cutline/engine/internal/kernels"
)

func unaryShape(n *node) (shapes.Shape, error) {
	return shapeinference.UnaryOp(n.op, n.inputs[0].shape)
}

func binaryShape(n *node) (shapes.Shape, error) {
	return shapeinference.BinaryOp(n.op, n.inputs[0].shape, n.inputs[1].shape)
}

func whereShape(n *node) (shapes.Shape, error) {
	return shapeinference.Where(n.inputs[0].shape, n.inputs[1].shape, n.inputs[2].shape)
}

func stepAdd(s *kernels.Set, y []float32, x [][]float32)      { s.Add(y, x[0], x[1]) }
func stepSub(s *kernels.Set, y []float32, x [][]float32)      { s.Sub(y, x[0], x[1]) }
func stepMul(s *kernels.Set, y []float32, x [][]float32)      { s.Mul(y, x[0], x[1]) }
func stepDiv(s *kernels.Set, y []float32, x [][]float32)      { s.Div(y, x[0], x[1]) }
func stepMax(s *kernels.Set, y []float32, x [][]float32)      { s.Max(y, x[0], x[1]) }
func stepMin(s *kernels.Set, y []float32, x [][]float32)      { s.Min(y, x[0], x[1]) }
func stepNeg(s *kernels.Set, y []float32, x [][]float32)      { s.Neg(y, x[0]) }
func stepAbs(s *kernels.Set, y []float32, x [][]float32)      { s.Abs(y, x[0]) }
func stepSqrt(s *kernels.Set, y []float32, x [][]float32)     { s.Sqrt(y, x[0]) }
func stepExp(s *kernels.Set, y []float32, x [][]float32)      { s.Exp(y, x[0]) }
func stepLogistic(s *kernels.Set, y []float32, x [][]float32) { s.Logistic(y, x[0]) }
func stepTanh(s *kernels.Set, y []float32, x [][]float32)     { s.Tanh(y, x[0]) }
func stepErf(s *kernels.Set, y []float32, x [][]float32)      { s.Erf(y, x[0]) }

// stepWhere only marks the operation: a program selects with its condition.
func stepWhere(*kernels.Set, []float32, [][]float32) {}

func stepRsqrt(s *kernels.Set, y []float32, x [][]float32) {
	s.Sqrt(y, x[0])
	for i := range y {
		y[i] = 1 / y[i]
	}
}

// The following are used on few values. Their functions in package math run at
// their own speed whatever state the vector registers are in, unlike math.Exp.

func stepLog(_ *kernels.Set, y []float32, x [][]float32)   { each(y, x[0], math.Log) }
func stepLog1p(_ *kernels.Set, y []float32, x [][]float32) { each(y, x[0], math.Log1p) }
func stepExpm1(_ *kernels.Set, y []float32, x [][]float32) { each(y, x[0], math.Expm1) }
func stepFloor(_ *kernels.Set, y []float32, x [][]float32) { each(y, x[0], math.Floor) }
func stepCeil(_ *kernels.Set, y []float32, x [][]float32)  { each(y, x[0], math.Ceil) }
func stepSin(_ *kernels.Set, y []float32, x [][]float32)   { each(y, x[0], math.Sin) }
func stepCos(_ *kernels.Set, y []float32, x [][]float32)   { each(y, x[0], math.Cos) }

// stepSign has no branch that depends on the sign, which a processor guesses wrong half
// of the time.
func stepSign(_ *kernels.Set, y []float32, x [][]float32) {
	const signBit, one = 1 << 31, 0x3f800000
	for i, v := range x[0] {
		if v == 0 || v != v {
			y[i] = v
			continue
		}
		y[i] = math.Float32frombits(math.Float32bits(v)&signBit | one)
	}
}

func each(y, x []float32, f func(float64) float64) {
	for i, v := range x {
		y[i] = float32(f(float64(v)))
	}
}
