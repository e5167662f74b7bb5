package engine

import (
	"slices"
	"testing"

	"github.com/gomlx/compute/shapes"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// TestShortRows: rows that are run through several at a time read what is a row, a column,
// a column of a matrix, a transposed matrix and a mask each in its own way.
func TestShortRows(t *testing.T) {
	f := func(args []*Node) []*Node {
		x, row, column, turned := args[0], args[1], args[2], TransposeAllAxes(args[3], 1, 0)
		dims := x.Shape().Dimensions
		first := BroadcastToDims(Slice(x, AxisRange(), AxisRange(0, 1)), dims...)
		y := Add(Mul(x, BroadcastToDims(InsertAxes(row, 0), dims...)), BroadcastToDims(column, dims...))
		return []*Node{Where(GreaterThan(turned, first), Sub(y, first), Mul(y, turned))}
	}
	for _, size := range [][2]int{{1, 3}, {700, 12}, {5000, 1}, {37, 600}, {3, 2000}} {
		rows, inner := size[0], size[1]
		args := []*tensors.Tensor{normal(1, rows, inner), normal(2, inner), normal(3, rows, 1), normal(4, inner, rows)}
		compareAll(t, evaluate(t, open(t, Options{}), f, args...), evaluate(t, reference(t), f, args...), 1e-6)
	}
}

// TestMaskedProduct: a Where that is all that follows a product is applied to it.
func TestMaskedProduct(t *testing.T) {
	f := func(args []*Node) []*Node {
		scores := Einsum("qd,kd->qk", args[0], args[1])
		hidden := GreaterThan(BroadcastToDims(args[2], 40, 40), ZerosLike(scores))
		return []*Node{Where(hidden, ConstAs(scores, -7), scores)}
	}
	args := []*tensors.Tensor{normal(1, 40, 24), normal(2, 40, 24), normal(3, 40, 1)}
	compareAll(t, evaluate(t, open(t, Options{}), f, args...), evaluate(t, reference(t), f, args...), 1e-6)
}

// TestTurnedProduct: a product that is read transposed alone is computed as that, and not
// where somebody reads it as it is.
func TestTurnedProduct(t *testing.T) {
	const batch, in, out = 50, 30, 20
	product := func(args []*Node) *Node { return Einsum("to,ti->oi", args[0], args[1]) }
	asWeights := func(args []*Node) []*Node { return []*Node{Mul(TransposeAllAxes(product(args), 1, 0), args[2])} }
	asItIs := func(args []*Node) []*Node {
		p := product(args)
		return []*Node{Mul(TransposeAllAxes(p, 1, 0), args[2]), Add(p, p)}
	}
	result := func(args []*Node) []*Node {
		p := product(args)
		return []*Node{TransposeAllAxes(p, 1, 0), p}
	}
	twice := func(args []*Node) []*Node {
		return []*Node{Mul(TransposeAllAxes(TransposeAllAxes(product(args), 1, 0), 1, 0), TransposeAllAxes(args[2], 1, 0))}
	}
	b := open(t, Options{})
	args := []*tensors.Tensor{normal(1, batch, out), normal(2, batch, in), normal(3, in, out)}
	var shapes []shapes.Shape
	for _, a := range args {
		shapes = append(shapes, a.Shape())
	}
	straight, turned := "product 1×20×50×30", "product 1×30×50×20"
	for _, c := range []struct {
		f    func([]*Node) []*Node
		want string
	}{{asWeights, turned}, {asItIs, straight}, {result, straight}, {twice, straight}} {
		compareAll(t, evaluate(t, b, c.f, args...), evaluate(t, reference(t), c.f, args...), 1e-6)
		x, _ := compiled(t, b, c.f, shapes...)
		if !slices.ContainsFunc(x.instructions, func(i instruction) bool { return i.name == c.want }) {
			t.Errorf("no %s", c.want)
		}
	}
}

// TestRowsOfAConvolution: a product with slices of one tensor side by side reads them where
// they lie, where they are wide enough for that.
func TestRowsOfAConvolution(t *testing.T) {
	const height, kernel, out = 6, 3, 24
	f := func(args []*Node) []*Node {
		x, weight := args[0], args[1]
		var rows []*Node
		for i := range kernel {
			rows = append(rows, InsertAxes(SliceAxis(x, 0, AxisRange(i, i+height-kernel+1)), 3))
		}
		return []*Node{Einsum("hbwkc,kco->hbwo", Concatenate(rows, 3), weight)}
	}
	for channels, copies := range map[int]bool{40: false, 300: false, 8: true} {
		b := open(t, Options{})
		args := []*tensors.Tensor{normal(1, height, 2, 5, channels), normal(2, kernel, channels, out)}
		compareAll(t, evaluate(t, b, f, args...), evaluate(t, reference(t), f, args...), 1e-6)
		x, _ := compiled(t, b, f, args[0].Shape(), args[1].Shape())
		if slices.ContainsFunc(x.instructions, func(i instruction) bool { return i.name == "copy" }) != copies {
			t.Errorf("%d channels: copies %v, want %v", channels, !copies, copies)
		}
	}
}

// TestCopiesOfShortRows: channels are moved behind columns, and back, element by element.
func TestCopiesOfShortRows(t *testing.T) {
	f := func(args []*Node) []*Node {
		last := TransposeAllAxes(args[0], 1, 2, 0)
		return []*Node{Reshape(last, -1), Reshape(TransposeAllAxes(Reshape(last, 3, 41, 53), 1, 2, 0), -1)}
	}
	x := normal(1, 3, 41, 53)
	compareAll(t, evaluate(t, open(t, Options{}), f, x), evaluate(t, reference(t), f, x), 0)
}
