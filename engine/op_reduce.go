package engine

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"

	"github.com/cutline-go/cutline/engine/internal/kernels"
)

func reduceShape(n *node) (shapes.Shape, error) {
	axes := n.attrs[0].([]int)
	if len(axes) == 0 { // all
		return shapes.Make(n.inputs[0].shape.DType), nil
	}
	return shapeinference.Reduce(n.inputs[0].shape, axes)
}

// reduction is how values are joined: those of a row, and two rows value by value.
type reduction struct {
	row  func(s *kernels.Set, x []float32) float32
	rows func(s *kernels.Set, y, a, b []float32)
	zero float32 // of no values
}

func lowerReduceSum(p *planner, n *node) bool {
	if last := n.inputs[0].node; p.summed[last] == n {
		defer p.used(last)
		p.backend.natives.Add(int64(len(p.parts[last])))
		if p.sumProgram(n, last) {
			return true
		}
		if err := p.program(last); err != nil {
			return false
		}
	}
	return p.reduce(n, reduction{(*kernels.Set).Sum, (*kernels.Set).Add, 0})
}

func lowerReduceMax(p *planner, n *node) bool {
	return p.reduce(n, reduction{(*kernels.Set).Largest, (*kernels.Set).Max, float32(math.Inf(-1))})
}

// reduce joins the values of some axes: row by row where the last of them is
// contiguous, else whole rows of what is kept.
func (p *planner) reduce(n *node, r reduction) bool {
	x := p.view(n.inputs[0])
	if x.dtype != dtypes.Float32 || x.size() == 0 {
		return false
	}
	axes := n.attrs[0].([]int)
	gone := make([]bool, len(x.dims))
	for i := range x.dims {
		gone[i] = len(axes) == 0
	}
	for _, a := range axes {
		gone[a] = true
	}
	var kept, reduced []int
	for i := range x.dims {
		if gone[i] {
			reduced = append(reduced, i)
		} else {
			kept = append(kept, i)
		}
	}
	left, right := x.transposed(kept), x.transposed(reduced)
	inner := compact(right.dims, right.strides)
	outer := compact(left.dims, left.strides)
	out := p.alloc(n.outputs[0])
	switch {
	case len(inner) <= 1 && (len(inner) == 0 || inner[0].stride == 1):
		p.reduceRows(n, r, x, out, left, right.size())
	case len(outer) > 0 && outer[len(outer)-1].stride == 1:
		p.reduceColumns(n, r, x, out, outer, inner)
	default:
		copied := p.dense(x.transposed(append(kept, reduced...)))
		p.reduceRows(n, r, copied, out, view{dims: left.dims, strides: scaled(rowMajor(left.dims), right.size())}, right.size())
	}
	return true
}

// sumProgram adds up what the program that ends in last computes, without writing it, where
// rows of the program are rows that are added up, or several of them.
func (p *planner) sumProgram(n, last *node) bool {
	g, reads := p.build(last, nil)
	width := trailing(n.attrs[0].([]int), n.inputs[0].shape.Dimensions)
	if g.inner%width != 0 {
		return false
	}
	out, rows, perPart := p.alloc(n.outputs[0]), n.inputs[0].size()/width, max(1, 1<<14/width)
	p.emitParts(n.op.String(), reads, []view{out}, (rows+perPart-1)/perPart, func(e *env, w *worker, part int) {
		y := e.floats(out)
		for row := part * perPart; row < min((part+1)*perPart, rows); row++ {
			y[row] = e.kernels.SumOf(width, func(from, most int) []float32 {
				at, x := row*width+from, g.scratch(w)[:min(most, chunk)]
				g.run(e, w, window{at / g.inner, 1, at % g.inner}, x, nil)
				return x
			})
		}
	})
	return true
}

func scaled(strides []int, factor int) []int {
	for i := range strides {
		strides[i] *= factor
	}
	return strides
}

// reduceRows joins each row of width values, which begin where left says.
func (p *planner) reduceRows(n *node, r reduction, x, out, left view, width int) {
	rows := product(left.dims)
	perPart := max(1, 1<<14/max(1, width))
	p.emitParts(n.op.String(), []view{x}, []view{out}, (rows+perPart-1)/perPart, func(e *env, _ *worker, part int) {
		y, from := e.floats(out), all[float32](e, x.slot)
		for row := part * perPart; row < min((part+1)*perPart, rows); row++ {
			at := x.offset + offsetOf(row, left.dims, left.strides)
			y[row] = r.row(e.kernels, from[at:at+width])
		}
	})
}

// offsetOf is the place of element number i in row-major order.
func offsetOf(i int, dims, strides []int) int {
	at := 0
	for k := len(dims) - 1; k >= 0; k-- {
		at += i % dims[k] * strides[k]
		i /= dims[k]
	}
	return at
}

// reduceColumns joins rows value by value, in pairs, each part a piece of the
// columns.
func (p *planner) reduceColumns(n *node, r reduction, x, out view, outer, inner []axis) {
	const piece = 256
	last := outer[len(outer)-1]
	dims, strides := split(outer[:len(outer)-1])
	rowDims, rowStrides := split(inner)
	cuts := (last.dim + piece - 1) / piece
	p.emitParts(n.op.String(), []view{x}, []view{out}, product(dims)*cuts, func(e *env, w *worker, part int) {
		y, from := e.floats(out), all[float32](e, x.slot)
		row, col := part/cuts, part%cuts*piece
		width := min(piece, last.dim-col)
		at := x.offset + offsetOf(row, dims, strides) + col
		j := joiner{e.kernels, r, w, from[at:], rowDims, rowStrides, width}
		j.join(y[row*last.dim+col:][:width], 0, product(rowDims), 0)
	})
}

func split(axes []axis) (dims, strides []int) {
	for _, a := range axes {
		dims, strides = append(dims, a.dim), append(strides, a.stride)
	}
	return dims, strides
}

// joiner joins rows, which lie at the places that dims and strides tell.
type joiner struct {
	kernels       *kernels.Set
	r             reduction
	w             *worker
	from          []float32
	dims, strides []int
	width         int
}

// join joins n rows from number first on, halves first.
func (j joiner) join(y []float32, first, n, depth int) {
	row := func(i int) []float32 { return j.from[offsetOf(first+i, j.dims, j.strides):][:j.width] }
	if n > 16 {
		half := n / 2
		j.join(y, first, half, depth)
		rest := j.w.chunk(depth)[:j.width]
		j.join(rest, first+half, n-half, depth+1)
		j.r.rows(j.kernels, y, y, rest)
		return
	}
	if n == 1 {
		copy(y, row(0))
		return
	}
	j.r.rows(j.kernels, y, row(0), row(1))
	for i := 2; i < n; i++ {
		j.r.rows(j.kernels, y, y, row(i))
	}
}

func argMinMaxShape(n *node) (shapes.Shape, error) {
	return shapeinference.ArgMinMax(n.inputs[0].shape, n.attrs[0].(int), n.attrs[1].(dtypes.DType))
}

// lowerArgMinMax finds the first of the largest or smallest values of an axis; a
// NaN comes before all.
func lowerArgMinMax(p *planner, n *node) bool {
	switch n.inputs[0].shape.DType {
	case dtypes.Float32:
		return argMinMax[float32](p, n)
	case dtypes.Int32:
		return argMinMax[int32](p, n)
	case dtypes.Int64:
		return argMinMax[int64](p, n)
	}
	return false
}

func argMinMax[T int32 | int64 | float32](p *planner, n *node) bool {
	switch n.attrs[1].(dtypes.DType) {
	case dtypes.Int32:
		return argMinMaxTo[T, int32](p, n)
	case dtypes.Int64:
		return argMinMaxTo[T, int64](p, n)
	}
	return false
}

func argMinMaxTo[T int32 | int64 | float32, U int32 | int64](p *planner, n *node) bool {
	x, axis, smallest := p.view(n.inputs[0]), n.attrs[0].(int), n.attrs[2].(bool)
	if x.size() == 0 {
		return false
	}
	out := p.alloc(n.outputs[0])
	var kept []int
	for i := range x.dims {
		if i != axis {
			kept = append(kept, i)
		}
	}
	rows, length, stride := x.transposed(kept), x.dims[axis], x.strides[axis]
	p.emitParts(n.op.String(), []view{x}, []view{out}, rows.size(), func(e *env, _ *worker, row int) {
		y, from := slice[U](e, out), all[T](e, x.slot)
		at := x.offset + offsetOf(row, rows.dims, rows.strides)
		best, value := 0, from[at]
		for i := 1; i < length && value == value; i++ {
			if v := from[at+i*stride]; v != v || smallest && v < value || !smallest && v > value {
				best, value = i, v
			}
		}
		y[row] = U(best)
	})
	return true
}
