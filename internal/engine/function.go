//go:build goexperiment.simd && amd64

package engine

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// function is a function of the go backend whose float32 Exp, Logistic, Tanh
// and Erf are composed of cheaper ops (see compose.go). Gradients need nothing:
// GoMLX derives them above the backend.
type function struct {
	compute.Function
	builder *builder
}

func (f *function) Exp(x compute.Value) (compute.Value, error) {
	return f.replace(x, f.Function.Exp, (*composer).exp)
}

func (f *function) Logistic(x compute.Value) (compute.Value, error) {
	return f.replace(x, f.Function.Logistic, (*composer).logistic)
}

func (f *function) Tanh(x compute.Value) (compute.Value, error) {
	return f.replace(x, f.Function.Tanh, (*composer).tanh)
}

func (f *function) Erf(x compute.Value) (compute.Value, error) {
	return f.replace(x, f.Function.Erf, (*composer).erf)
}

// replace composes the op for float32 and leaves other types to the backend.
func (f *function) replace(
	x compute.Value,
	plain func(compute.Value) (compute.Value, error),
	composed func(*composer, compute.Value) compute.Value,
) (compute.Value, error) {
	if !f.isFloat32(x) {
		return plain(x)
	}
	c := &composer{f: f.Function}
	y := composed(c, x)
	return y, c.err
}

// isFloat32 is false for an invalid x, so that the backend's op reports it.
func (f *function) isFloat32(x compute.Value) bool {
	shape, err := f.Function.Shape(x)
	return err == nil && shape.DType == dtypes.Float32
}

// FusedGelu declines float32, so that GoMLX builds it of Erf or Tanh.
func (f *function) FusedGelu(x compute.Value, exact bool) (compute.Value, error) {
	if f.isFloat32(x) {
		return nil, fmt.Errorf("engine go: fused gelu of float32: %w", compute.ErrNotImplemented)
	}
	return f.Function.FusedGelu(x, exact)
}

// FusedDense declines float32 with an activation, so that GoMLX applies the
// activation apart.
func (f *function) FusedDense(x, weight, bias compute.Value, options compute.DenseConfig) (compute.Value, error) {
	if options.Activation != compute.ActivationNone && f.isFloat32(x) {
		return nil, fmt.Errorf("engine go: fused dense of float32 with %s: %w", options.Activation, compute.ErrNotImplemented)
	}
	return f.Function.FusedDense(x, weight, bias, options)
}

func (f *function) Builder() compute.Builder { return f.builder }

func (f *function) Parent() compute.Function {
	if parent := f.Function.Parent(); parent != nil {
		return &function{parent, f.builder}
	}
	return nil
}

func (f *function) Closure() (compute.Function, error) {
	inner, err := f.Function.Closure()
	if err != nil {
		return nil, err
	}
	return &function{inner, f.builder}, nil
}

// Call, Sort, While and If are the ops that take functions.

func (f *function) Call(callee compute.Function, inputs ...compute.Value) ([]compute.Value, error) {
	return f.Function.Call(unwrap(callee), inputs...)
}

func (f *function) Sort(comparator compute.Function, axis int, stable bool, inputs ...compute.Value) ([]compute.Value, error) {
	return f.Function.Sort(unwrap(comparator), axis, stable, inputs...)
}

func (f *function) While(cond, body compute.Function, state ...compute.Value) ([]compute.Value, error) {
	return f.Function.While(unwrap(cond), unwrap(body), state...)
}

func (f *function) If(pred compute.Value, yes, no compute.Function) ([]compute.Value, error) {
	return f.Function.If(pred, unwrap(yes), unwrap(no))
}

func unwrap(f compute.Function) compute.Function {
	if w, ok := f.(*function); ok {
		return w.Function
	}
	return f
}
