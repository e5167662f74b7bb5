package engine

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// The operations of this file compute masks, indices and counters, element by
// element: they are rarer than those on float32s, and smaller but for dropout's masks and
// the one-hot rows of a loss.

// number are the types that arithmetic here is for.
type number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

func convertShape(n *node) (shapes.Shape, error) {
	s := n.inputs[0].shape.Clone()
	s.DType = n.attrs[0].(dtypes.DType)
	return s, nil
}

func iotaShape(n *node) (shapes.Shape, error) {
	s, axis := n.attrs[0].(shapes.Shape), n.attrs[1].(int)
	if axis < 0 || axis >= s.Rank() || s.IsDynamic() {
		return s, badAxis(axis, s)
	}
	return s.Clone(), nil
}

// binaryLoop adds an instruction that computes out = f(a, b), for some elements at a time.
func binaryLoop[T, U any](p *planner, n *node, f func(y []U, a, b []T)) bool {
	dims := n.outputs[0].shape.Dimensions
	return elements(p, n, p.view(n.inputs[0]).like(dims), p.view(n.inputs[1]).like(dims), f)
}

// unaryLoop adds an instruction that computes out = f(a), for some elements at a time.
func unaryLoop[T, U any](p *planner, n *node, f func(y []U, a []T)) bool {
	a := p.view(n.inputs[0])
	return elements(p, n, a, a, func(y []U, a, _ []T) { f(y, a) })
}

func elements[T, U any](p *planner, n *node, a, b view, f func(y []U, a, b []T)) bool {
	out, l := p.alloc(n.outputs[0]), newLoop(a, b)
	p.emitParts(n.op.String(), []view{a, b}, []view{out}, l.parts(), func(e *env, w *worker, part int) {
		y, as, bs := slice[U](e, out), all[T](e, a.slot), all[T](e, b.slot)
		room := valuesOf[T](w.room(2 * chunk * sizeOf[T]()))
		l.part(part, func(from, to, i, j int) {
			for ; from < to; from += chunk {
				n := min(chunk, to-from)
				f(y[from:from+n], gather(as, room[:chunk], i, l.row.to, n), gather(bs, room[chunk:], j, l.row.from, n))
				i, j = i+n*l.row.to, j+n*l.row.from
			}
		})
	})
	return true
}

// pairwise calls f for each element, which takes longer than a loop of f's own.
func pairwise[T, U any](f func(a, b T) U) func(y []U, a, b []T) {
	return func(y []U, a, b []T) {
		for i := range y {
			y[i] = f(a[i], b[i])
		}
	}
}

// loop runs through the elements of two views of the same dims in order.
type loop struct {
	a, b  view
	outer []pairAxis // of the rows
	row   pairAxis   // to is a's stride, from is b's
}

func newLoop(a, b view) loop {
	axes := pair(a, b)
	last := len(axes) - 1
	return loop{a, b, axes[:last], axes[last]}
}

// loopPart is how many elements of a loop make a part.
const loopPart = 1 << 14

func (l loop) parts() int { return (l.a.size() + loopPart - 1) / loopPart }

// part visits the elements of a part, row by row: those from one number to another, of which
// the first lies at i in the slot of a and at j in that of b.
func (l loop) part(part int, visit func(from, to, i, j int)) {
	end := min((part+1)*loopPart, l.a.size())
	for from := part * loopPart; from < end; {
		col := from % l.row.dim
		to := min(end, from-col+l.row.dim)
		i, j := rowOf(l.outer, from/l.row.dim)
		visit(from, to, l.a.offset+i+col*l.row.to, l.b.offset+j+col*l.row.from)
		from = to
	}
}

// places are the indices of an element in the slots of up to three views.
type places [3]int

// walk visits the elements of views of the same dims, in order, with their
// indices in the slots. It allocates nothing for up to eight axes.
func walk(dims []int, views []view, visit func(at places)) {
	var few [8]int
	index, at := few[:], places{}
	if len(dims) > len(few) {
		index = make([]int, len(dims))
	}
	for i, v := range views {
		at[i] = v.offset
	}
	for range product(dims) {
		visit(at)
		for axis := len(dims) - 1; axis >= 0; axis-- {
			index[axis]++
			for i, v := range views {
				at[i] += v.strides[axis]
			}
			if index[axis] < dims[axis] {
				break
			}
			for i, v := range views {
				at[i] -= dims[axis] * v.strides[axis]
			}
			index[axis] = 0
		}
	}
}

// lowerArithmetic is for integers and float64; float32 is part of programs.
func lowerArithmetic(p *planner, n *node) bool {
	switch n.outputs[0].shape.DType {
	case dtypes.Int32:
		return arithmetic[int32](p, n)
	case dtypes.Int64:
		return arithmetic[int64](p, n)
	case dtypes.Uint32:
		return arithmetic[uint32](p, n)
	case dtypes.Uint64:
		return arithmetic[uint64](p, n)
	case dtypes.Float64:
		return arithmetic[float64](p, n)
	}
	return false
}

func arithmetic[T number](p *planner, n *node) bool {
	switch n.op {
	case compute.OpTypeAdd:
		return binaryLoop(p, n, pairwise(func(a, b T) T { return a + b }))
	case compute.OpTypeSub:
		return binaryLoop(p, n, pairwise(func(a, b T) T { return a - b }))
	case compute.OpTypeMul:
		return binaryLoop(p, n, pairwise(func(a, b T) T { return a * b }))
	case compute.OpTypeDiv:
		return binaryLoop(p, n, pairwise(func(a, b T) T { return a / b }))
	case compute.OpTypeMax:
		return binaryLoop(p, n, pairwise(func(a, b T) T { return max(a, b) }))
	case compute.OpTypeMin:
		return binaryLoop(p, n, pairwise(func(a, b T) T { return min(a, b) }))
	}
	return false
}

func lowerLogic(p *planner, n *node) bool {
	if n.inputs[0].shape.DType != dtypes.Bool {
		return false
	}
	if n.op == compute.OpTypeLogicalAnd {
		return binaryLoop(p, n, pairwise(func(a, b bool) bool { return a && b }))
	}
	return binaryLoop(p, n, pairwise(func(a, b bool) bool { return a || b }))
}

func lowerNot(p *planner, n *node) bool {
	if n.inputs[0].shape.DType != dtypes.Bool {
		return false
	}
	return unaryLoop(p, n, not)
}

func not(y, a []bool) {
	for i, v := range a {
		y[i] = !v
	}
}

func lowerConvert(p *planner, n *node) bool {
	switch n.inputs[0].shape.DType {
	case n.outputs[0].shape.DType:
		return lowerIdentity(p, n)
	case dtypes.Bool:
		return convertBool(p, n)
	case dtypes.Int32:
		return convert[int32](p, n)
	case dtypes.Int64:
		return convert[int64](p, n)
	case dtypes.Uint8:
		return convert[uint8](p, n)
	case dtypes.Uint32:
		return convert[uint32](p, n)
	case dtypes.Uint64:
		return convert[uint64](p, n)
	case dtypes.Float32:
		return convert[float32](p, n)
	case dtypes.Float64:
		return convert[float64](p, n)
	}
	return false
}

func convert[T number](p *planner, n *node) bool {
	switch n.outputs[0].shape.DType {
	case dtypes.Int32:
		return unaryLoop(p, n, converted[T, int32])
	case dtypes.Int64:
		return unaryLoop(p, n, converted[T, int64])
	case dtypes.Float32:
		return unaryLoop(p, n, converted[T, float32])
	case dtypes.Float64:
		return unaryLoop(p, n, converted[T, float64])
	case dtypes.Bool:
		return unaryLoop(p, n, nonzero[T])
	}
	return false
}

func convertBool(p *planner, n *node) bool {
	switch n.outputs[0].shape.DType {
	case dtypes.Int32:
		return unaryLoop(p, n, ones[int32])
	case dtypes.Int64:
		return unaryLoop(p, n, ones[int64])
	case dtypes.Float32:
		return unaryLoop(p, n, ones[float32])
	case dtypes.Float64:
		return unaryLoop(p, n, ones[float64])
	}
	return false
}

func converted[T, U number](y []U, a []T) {
	for i, v := range a {
		y[i] = U(v)
	}
}

func nonzero[T number](y []bool, a []T) {
	for i, v := range a {
		y[i] = v != 0
	}
}

// ones is 1 for true and 0 for false.
func ones[T number](y []T, a []bool) {
	for i, v := range a {
		y[i] = 0
		if v {
			y[i] = 1
		}
	}
}

// lowerIota counts along an axis; the others repeat.
func lowerIota(p *planner, n *node) bool {
	switch n.outputs[0].shape.DType {
	case dtypes.Int32:
		return count[int32](p, n)
	case dtypes.Int64:
		return count[int64](p, n)
	case dtypes.Uint32:
		return count[uint32](p, n)
	case dtypes.Uint64:
		return count[uint64](p, n)
	case dtypes.Float32:
		return count[float32](p, n)
	case dtypes.Float64:
		return count[float64](p, n)
	}
	return false
}

func count[T number](p *planner, n *node) bool {
	out, axis := n.outputs[0], n.attrs[1].(int)
	length := out.shape.Dimensions[axis]
	s := p.slot(temporary, out.shape.DType.SizeForDimensions(length))
	line := view{slot: s, dtype: out.shape.DType, dims: []int{length}, strides: []int{1}}
	p.emit(n.op.String(), nil, []view{line}, func(e *env) error {
		for i, y := 0, slice[T](e, line); i < length; i++ {
			y[i] = T(i)
		}
		return nil
	})
	p.views[out] = line.broadcast(out.shape.Dimensions, []int{axis})
	return true
}
