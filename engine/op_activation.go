package engine

import (
	"math"
	"slices"

	"github.com/gomlx/compute"
)

// The activations that GoMLX's dense layer has. Networks that apply their own get
// a program of the operations that they wrote instead.

// activation returns the program of an activation applied to a product's rows of
// width values; false for one that the engine lacks.
func (p *planner) activation(a compute.ActivationType, outer []int, width int) (*program, bool) {
	g := &program{outer: outer, inner: width, registers: 1, externs: []extern{{}}}
	number := func(v float32) int {
		g.externs = append(g.externs, extern{view: view{slot: &slot{}}, splat: slices.Repeat([]float32{v}, chunk)})
		return -len(g.externs)
	}
	const x, temporary, result = -1, 0, -1
	add := func(op compute.OpType, output int, inputs ...int) {
		g.steps = append(g.steps, programStep{op: op, run: p.backend.ops[op].step, inputs: inputs, output: output})
	}
	switch a {
	case compute.ActivationRelu:
		add(compute.OpTypeMax, result, x, number(0))
	case compute.ActivationTanh:
		add(compute.OpTypeTanh, result, x)
	case compute.ActivationSilu:
		add(compute.OpTypeLogistic, temporary, x)
		add(compute.OpTypeMul, result, x, temporary)
	case compute.ActivationGelu: // the exact one
		add(compute.OpTypeMul, temporary, x, number(1/math.Sqrt2))
		add(compute.OpTypeErf, temporary, temporary)
		add(compute.OpTypeAdd, temporary, temporary, number(1))
		add(compute.OpTypeMul, temporary, temporary, x)
		add(compute.OpTypeMul, result, temporary, number(0.5))
	default:
		return nil, false
	}
	return g, true
}
