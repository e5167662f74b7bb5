package engine

import (
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/nn"
)

// gelu is GPT-2's, of a dense layer, as a graph that learns has it.
func gelu(args []*Node) *Node {
	x := nn.Dense(args[0], args[1], args[2], compute.DenseLayoutInputOutputs)
	inner := MulScalar(Add(x, MulScalar(Mul(Square(x), x), 0.044715)), 0.8)
	return Mul(MulScalar(x, 0.5), OnePlus(Tanh(inner)))
}

func geluGradient(args []*Node) []*Node {
	return Gradient(ReduceAllSum(Mul(gelu(args), args[3])), args...)
}

// instructionsOf are the names of what a training graph does.
func instructionsOf(t *testing.T, f func([]*Node) []*Node, args ...*tensors.Tensor) []string {
	var of []shapes.Shape
	for _, a := range args {
		of = append(of, a.Shape())
	}
	x, _ := compiled(t, open(t, Options{Training: true}), f, of...)
	var names []string
	for _, i := range x.instructions {
		names = append(names, strings.Fields(i.name)[0])
	}
	return names
}

func times(names []string, name string) int {
	n := 0
	for _, other := range names {
		if other == name {
			n++
		}
	}
	return n
}

// TestCheapValuesAreComputedAnew: of a GELU and its gradient, the tanh alone is kept, and of
// few values all.
func TestCheapValuesAreComputedAnew(t *testing.T) {
	args := func(rows int) []*tensors.Tensor {
		return []*tensors.Tensor{normal(1, 2, rows, 64), normal(2, 64, 128), normal(3, 128), normal(4, 2, rows, 128)}
	}
	large, small := args(100), args(5)
	// The tanh, GELU itself for the gradient of what it was multiplied with, its own gradient.
	if got := times(instructionsOf(t, geluGradient, large...), "elementwise"); got != 3 {
		t.Errorf("%d programs, want 3", got)
	}
	if got := times(instructionsOf(t, geluGradient, small...), "elementwise"); got <= 3 {
		t.Errorf("%d programs of few values, want more than 3", got)
	}
	for _, a := range [][]*tensors.Tensor{large, small} {
		want := evaluate(t, reference(t), geluGradient, a...)
		compareAll(t, evaluate(t, open(t, Options{Training: true}), geluGradient, a...), want, 2e-6)
	}
}

// TestOriginsAreOne: what is computed from two large values, or read by others than
// programs, is kept.
func TestOriginsAreOne(t *testing.T) {
	kept := func(f func(a, b *Node) *Node) int {
		return times(instructionsOf(t, func(args []*Node) []*Node {
			sum := f(args[0], args[1])
			return []*Node{Exp(sum), Tanh(sum)}
		}, normal(1, 200, 128), normal(2, 200, 128)), "elementwise")
	}
	if got := kept(func(a, _ *Node) *Node { return OnePlus(a) }); got != 2 {
		t.Errorf("%d programs of one value, want 2", got)
	}
	if got := kept(func(a, b *Node) *Node { return Add(a, b) }); got != 3 {
		t.Errorf("%d programs of two values, want 3", got)
	}
	if got := kept(func(a, _ *Node) *Node { return Sqrt(a) }); got != 3 {
		t.Errorf("%d programs of a square root, which is not cheap, want 3", got)
	}
	if got := kept(func(a, _ *Node) *Node { return Mul(OnePlus(a), a) }); got != 2 {
		t.Errorf("%d programs of one value twice, want 2", got)
	}
	summed := instructionsOf(t, func(args []*Node) []*Node {
		sum := OnePlus(args[0])
		return []*Node{Exp(sum), Tanh(sum), ReduceSum(sum, 0)}
	}, normal(1, 200, 128))
	if got := times(summed, "elementwise"); got != 3 {
		t.Errorf("%d programs of what is summed up too, want 3", got)
	}
}

// TestStoredValuesAreOrigins: what is in memory for others' sake is read, not what it was
// computed from, so that its product with that has two origins.
func TestStoredValuesAreOrigins(t *testing.T) {
	got := times(instructionsOf(t, func(args []*Node) []*Node {
		stored := OnePlus(args[0])
		y := Mul(stored, args[0])
		return []*Node{Exp(y), Tanh(y), ReduceSum(stored, 0)}
	}, normal(1, 200, 128)), "elementwise")
	if got != 4 {
		t.Errorf("%d programs, want 4", got)
	}
}

// TestOriginsAreNotOverwritten: a value that a later program computes something anew from
// outlives an update that could have had its memory.
func TestOriginsAreNotOverwritten(t *testing.T) {
	f := func(updated bool) func(args []*Node) []*Node {
		return func(args []*Node) []*Node {
			origin := Mul(args[0], args[1])
			next := OnePlus(origin)
			out := []*Node{Exp(next)}
			if updated {
				zero := Const(origin.Graph(), int32(0))
				out = append(out, DynamicUpdateSlice(origin, MulScalar(args[2], 3), []*Node{zero, zero}))
			}
			return append(out, Tanh(next))
		}
	}
	args := []*tensors.Tensor{normal(1, 200, 128), normal(2, 200, 128), normal(3, 50, 128)}
	b := open(t, FromEnvironment())
	got, want := evaluate(t, b, f(true), args...), evaluate(t, b, f(false), args...)
	compareAll(t, [][]float32{got[0], got[2]}, want, 0)
}

// TestProductsTakeWhatFollowsAReshape: the bias and the residual of a layer on three axes,
// of which a training graph makes two and three again, are added where the product is written.
func TestProductsTakeWhatFollowsAReshape(t *testing.T) {
	layer := func(args []*Node) []*Node {
		return []*Node{Add(args[0], nn.Dense(args[0], args[1], args[2], compute.DenseLayoutInputOutputs))}
	}
	two := func(args []*Node) []*Node { // products, one of which can be the program's
		return []*Node{Add(layer(args)[0], nn.Dense(args[0], args[1], nil, compute.DenseLayoutInputOutputs))}
	}
	apart := func(args []*Node) []*Node { // the reshape parts a row
		y := Dot(Reshape(args[0], 100, 64), args[1]).Product()
		return []*Node{Add(Reshape(y, 4, 25, 2, 32), Reshape(args[0], 4, 25, 2, 32))}
	}
	args := []*tensors.Tensor{normal(1, 4, 25, 64), normal(2, 64, 64), normal(3, 64)}
	for name, c := range map[string]struct {
		f    func(args []*Node) []*Node
		want int
	}{"a layer": {layer, 0}, "two products": {two, 0}, "rows parted": {apart, 1}} {
		if got := times(instructionsOf(t, c.f, args...), "elementwise"); got != c.want {
			t.Errorf("%s: %d programs of their own, want %d", name, got, c.want)
		}
		want := evaluate(t, reference(t), c.f, args...)
		compareAll(t, evaluate(t, open(t, Options{Training: true}), c.f, args...), want, 2e-6)
	}
}

// TestComparisons holds each against Go's, of rows, columns and scalars, NaN among them.
func TestComparisons(t *testing.T) {
	a, b := normal(1, 40, 70), normal(1, 40, 70)
	nan := float32(0)
	tensors.MustMutableFlatData(a, func(flat []float32) { flat[7], flat[71] = nan/nan, 2 })
	compare := func(args []*Node) []*Node {
		x, y := args[0], args[1]
		var out []*Node
		for _, other := range []*Node{y, Transpose(Reshape(y, 70, 40), 0, 1), BroadcastToDims(Slice(y, AxisElem(0), AxisElem(1)), 40, 70), BroadcastToDims(Slice(y, AxisRange(), AxisElem(1)), 40, 70)} {
			for _, is := range []*Node{Equal(x, other), NotEqual(x, other), LessThan(x, other), LessOrEqual(x, other), GreaterThan(x, other), GreaterOrEqual(x, other)} {
				out = append(out, ConvertDType(is, dtypes.Float32), ConvertDType(LogicalNot(is), dtypes.Float32))
			}
		}
		return append(out, ConvertDType(ConvertDType(MulScalar(y, 9), dtypes.Int32), dtypes.Float32), ConvertDType(ConvertDType(x, dtypes.Bool), dtypes.Float32))
	}
	compareAll(t, evaluate(t, open(t, FromEnvironment()), compare, a, b), evaluate(t, reference(t), compare, a, b), 0)
}

// TestProgramsStoreResults: an optimiser's moments, which are results and read by what moves
// the weight alone, are written by one program with that; what others read as well is not.
func TestProgramsStoreResults(t *testing.T) {
	moments := func(args []*Node) (m, v, p *Node) {
		p, g := args[0], args[3]
		m = Add(MulScalar(args[1], 0.9), MulScalar(g, 0.1))
		v = Add(MulScalar(args[2], 0.99), MulScalar(Square(g), 0.01))
		return m, v, Sub(p, Div(m, AddScalar(Sqrt(v), 1e-6)))
	}
	step := func(args []*Node) []*Node {
		m, v, p := moments(args)
		return []*Node{m, p, v}
	}
	summed := func(args []*Node) []*Node {
		m, v, p := moments(args)
		return []*Node{m, v, p, ReduceSum(v, 0)}
	}
	twice := func(args []*Node) []*Node { // the first moment is read by two programs
		m, v, p := moments(args)
		return []*Node{m, v, p, Tanh(m)}
	}
	behindProduct := func(args []*Node) []*Node {
		y := Dot(args[0], TransposeAllAxes(args[1], 1, 0)).Product()
		z := MulScalar(y, 2)
		return []*Node{z, Tanh(z)}
	}
	args := []*tensors.Tensor{normal(1, 70, 40), normal(2, 70, 40), normal(3, 70, 40), normal(4, 70, 40)}
	tensors.MustMutableFlatData(args[2], func(flat []float32) {
		for i := range flat {
			flat[i] *= flat[i]
		}
	})
	for name, c := range map[string]struct {
		f    func(args []*Node) []*Node
		want int
	}{"a step": {step, 1}, "a sum besides": {summed, 2}, "two readers": {twice, 3}, "behind a product": {behindProduct, 1}} {
		if got := times(instructionsOf(t, c.f, args...), "elementwise"); got != c.want {
			t.Errorf("%s: %d programs, want %d", name, got, c.want)
		}
		compareAll(t, evaluate(t, open(t, Options{Training: true}), c.f, args...), evaluate(t, reference(t), c.f, args...), 2e-6)
	}
}

// TestMarks: rows of targets compared with the numbers of their columns are marked where
// they are the same, targets that are no column nowhere.
func TestMarks(t *testing.T) {
	f := func(args []*Node) []*Node {
		targets := ConvertDType(args[0], dtypes.Int32)
		rows, columns := 40, 33
		numbers := func(axis int) *Node { return Iota(targets.Graph(), shapes.Make(dtypes.Int32, rows, columns), axis) }
		wide := BroadcastToDims(InsertAxes(targets, -1), rows, columns)
		var out []*Node
		for _, is := range []*Node{Equal(numbers(1), wide), Equal(wide, numbers(1)), Equal(numbers(0), wide), Equal(numbers(1), numbers(0)), NotEqual(numbers(1), wide), Equal(numbers(1), BroadcastToDims(Slice(targets, AxisElem(3)), rows, columns))} {
			out = append(out, ConvertDType(is, dtypes.Float32))
		}
		return out
	}
	targets := tensors.FromValue(make([]float32, 40))
	tensors.MustMutableFlatData(targets, func(flat []float32) {
		for i := range flat {
			flat[i] = float32(i - 4)
		}
	})
	compareAll(t, evaluate(t, open(t, FromEnvironment()), f, targets), evaluate(t, reference(t), f, targets), 0)
}

// TestSumsOfPrograms: what is computed to be added up alone is not written, and the sum has
// the bits that it has where it is a result as well.
func TestSumsOfPrograms(t *testing.T) {
	exponentials := func(args []*Node) *Node {
		return Exp(Sub(args[0], BroadcastToDims(args[1], args[0].Shape().Dimensions...)))
	}
	squares := func(args []*Node) *Node { return Square(args[0]) }
	args := []*tensors.Tensor{normal(1, 3, 5, 9001), normal(2, 3, 5, 1)}
	for name, c := range map[string]struct {
		values func(args []*Node) *Node
		sum    func(y *Node) *Node
		want   int // programs
	}{
		"rows":           {exponentials, func(y *Node) *Node { return ReduceSum(y, -1) }, 0},
		"dense":          {squares, func(y *Node) *Node { return ReduceSum(y, -1) }, 0},
		"all":            {squares, func(y *Node) *Node { return ReduceAllSum(y) }, 0},
		"two axes":       {exponentials, func(y *Node) *Node { return ReduceSum(y, 1, 2) }, 1},
		"two dense axes": {squares, func(y *Node) *Node { return ReduceSum(y, 1, 2) }, 0},
		"columns":        {exponentials, func(y *Node) *Node { return ReduceSum(y, 1) }, 1},
		"read besides":   {exponentials, func(y *Node) *Node { return ReduceSum(Div(y, ReduceAndKeep(y, ReduceSum, -1)), -1) }, 1},
	} {
		alone := func(args []*Node) []*Node { return []*Node{c.sum(c.values(args))} }
		besides := func(args []*Node) []*Node {
			y := c.values(args)
			return []*Node{c.sum(y), y}
		}
		if got := times(instructionsOf(t, alone, args...), "elementwise"); got != c.want {
			t.Errorf("%s: %d programs, want %d", name, got, c.want)
		}
		b := open(t, Options{})
		compareAll(t, evaluate(t, b, alone, args...), evaluate(t, b, besides, args...)[:1], 0)
	}
}
