package engine

import (
	"slices"
	"testing"

	"github.com/gomlx/compute"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/nn"
)

// TestEnds: what follows a product is computed as by GoMLX's engine, whether its kernels, a
// program or both do it, of few rows and many.
func TestEnds(t *testing.T) {
	relu := func(x *Node) *Node { return Max(x, ZerosLike(x)) }
	for _, size := range [][3]int{{5, 40, 70}, {210, 300, 64}, {50, 768, 96}} {
		rows, k, n := size[0], size[1], size[2]
		args := []*tensors.Tensor{normal(1, rows, k), normal(2, k, n), normal(3, n), normal(4, rows, n), normal(5, n, rows)}
		for name, f := range map[string]func(x, w, bias, residual, turned *Node) *Node{
			"rectified": func(x, w, b, _, _ *Node) *Node { return relu(nn.Dense(x, w, b, compute.DenseLayoutInputOutputs)) },
			"residual":  func(x, w, b, r, _ *Node) *Node { return Add(r, Dot(x, w).Product()) },
			"residual and rectified": func(x, w, b, r, _ *Node) *Node {
				return relu(Add(nn.Dense(x, w, b, compute.DenseLayoutInputOutputs), r))
			},
			"bias and residual": func(x, w, b, r, _ *Node) *Node {
				return Add(Add(Dot(x, w).Product(), BroadcastToDims(InsertAxes(b, 0), rows, n)), r)
			},
			"two rows": func(x, w, b, _, _ *Node) *Node {
				return Add(nn.Dense(x, w, b, compute.DenseLayoutInputOutputs), BroadcastToDims(InsertAxes(b, 0), rows, n))
			},
			"rectified residual":  func(x, w, b, r, _ *Node) *Node { return Add(relu(Dot(x, w).Product()), r) },
			"cut off elsewhere":   func(x, w, b, _, _ *Node) *Node { y := Dot(x, w).Product(); return Max(y, ConstAs(y, 0.5)) },
			"transposed residual": func(x, w, b, _, u *Node) *Node { return Add(Dot(x, w).Product(), TransposeAllAxes(u, 1, 0)) },
			"itself":              func(x, w, b, _, _ *Node) *Node { y := Dot(x, w).Product(); return Add(y, y) },
			"and more":            func(x, w, b, r, _ *Node) *Node { return Tanh(relu(Add(Dot(x, w).Product(), r))) },
		} {
			t.Run(name, func(t *testing.T) {
				g := func(a []*Node) []*Node { return []*Node{f(a[0], a[1], a[2], a[3], a[4])} }
				compareAll(t, evaluate(t, open(t, FromEnvironment()), g, args...), evaluate(t, reference(t), g, args...), 2e-6)
			})
		}
	}
}

// TestProductsTakeEnds: a product does itself what its kernels can do, and no part of more.
func TestProductsTakeEnds(t *testing.T) {
	const sums, row, dense, column, zero, one = -1, -2, -3, -4, -5, -6
	memory := view{slot: &slot{}}
	externs := []extern{
		{}, {view: memory, outer: []int{0}, stride: 1}, {view: memory, outer: []int{8}, stride: 1, isDense: true},
		{view: memory, outer: []int{1}}, {view: memory, splat: []float32{0}}, {view: memory, splat: []float32{1}},
	}
	add := func(output int, inputs ...int) programStep {
		return programStep{op: compute.OpTypeAdd, inputs: inputs, output: output}
	}
	cut := func(output int, inputs ...int) programStep {
		return programStep{op: compute.OpTypeMax, inputs: inputs, output: output}
	}
	const result = -1
	for name, c := range map[string]struct {
		steps              []programStep
		biased             bool // the product has a bias already
		takes              bool
		bias, plus, cutOff bool
	}{
		"a residual":             {steps: []programStep{add(result, sums, dense)}, takes: true, plus: true},
		"on the other side":      {steps: []programStep{add(result, dense, sums)}, takes: true, plus: true},
		"a row":                  {steps: []programStep{add(result, row, sums)}, takes: true, bias: true},
		"a second row":           {steps: []programStep{add(result, row, sums)}, biased: true},
		"a column":               {steps: []programStep{add(result, column, sums)}},
		"a number":               {steps: []programStep{add(result, one, sums)}},
		"rectified":              {steps: []programStep{cut(result, zero, sums)}, takes: true, cutOff: true},
		"cut off elsewhere":      {steps: []programStep{cut(result, one, sums)}},
		"all of it":              {steps: []programStep{add(0, sums, row), add(1, dense, 0), cut(result, 1, zero)}, takes: true, bias: true, plus: true, cutOff: true},
		"in another order":       {steps: []programStep{cut(0, zero, sums), add(result, 0, dense)}},
		"more":                   {steps: []programStep{add(0, sums, dense), cut(1, 0, zero), {op: compute.OpTypeTanh, inputs: []int{1}, output: result}}},
		"two residuals":          {steps: []programStep{add(0, sums, dense), add(result, 0, dense)}},
		"what it is not made of": {steps: []programStep{add(0, row, dense), add(result, 0, sums)}},
	} {
		m := &matmul{}
		if c.biased {
			m.bias = &memory
		}
		g := &program{outer: []int{4}, inner: 8, externs: slices.Clone(externs), steps: c.steps}
		if m.takeEnds(g) != c.takes || (m.bias != nil) != (c.bias || c.biased) || (m.plus != nil) != c.plus || m.rectify != c.cutOff {
			t.Errorf("%s: bias %v, residual %v, cut off %v", name, m.bias != nil, m.plus != nil, m.rectify)
		}
	}
}
