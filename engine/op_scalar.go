package engine

import (
	"cmp"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// The operations of this file compute masks, indices and counters, element by
// element: they are rarer than those on float32s, and smaller but for dropout's masks and
// the one-hot rows of a loss.

// number are the types that arithmetic here is for.
type number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

func comparisonShape(n *node) (shapes.Shape, error) {
	return shapeinference.ComparisonOp(n.op, n.inputs[0].shape, n.inputs[1].shape)
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

// binaryLoop adds an instruction that computes out = f(a, b).
func binaryLoop[T, U any](p *planner, n *node, f func(a, b T) U) bool {
	out := p.alloc(n.outputs[0])
	a, b := p.view(n.inputs[0]).like(out.dims), p.view(n.inputs[1]).like(out.dims)
	l := newLoop(a, b)
	p.emitParts(n.op.String(), []view{a, b}, []view{out}, l.parts(), func(e *env, _ *worker, part int) {
		y, as, bs := slice[U](e, out), all[T](e, a.slot), all[T](e, b.slot)
		l.part(part, func(from, to, i, j int) {
			row, di, dj := y[from:to], l.row.to, l.row.from
			for k := range row {
				row[k] = f(as[i], bs[j])
				i, j = i+di, j+dj
			}
		})
	})
	return true
}

// unaryLoop adds an instruction that computes out = f(a).
func unaryLoop[T, U any](p *planner, n *node, f func(T) U) bool {
	out := p.alloc(n.outputs[0])
	a := p.view(n.inputs[0])
	l := newLoop(a, a)
	p.emitParts(n.op.String(), []view{a}, []view{out}, l.parts(), func(e *env, _ *worker, part int) {
		y, as := slice[U](e, out), all[T](e, a.slot)
		l.part(part, func(from, to, i, _ int) {
			row, di := y[from:to], l.row.to
			for k := range row {
				row[k] = f(as[i])
				i += di
			}
		})
	})
	return true
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
		return binaryLoop(p, n, func(a, b T) T { return a + b })
	case compute.OpTypeSub:
		return binaryLoop(p, n, func(a, b T) T { return a - b })
	case compute.OpTypeMul:
		return binaryLoop(p, n, func(a, b T) T { return a * b })
	case compute.OpTypeDiv:
		return binaryLoop(p, n, func(a, b T) T { return a / b })
	case compute.OpTypeMax:
		return binaryLoop(p, n, func(a, b T) T { return max(a, b) })
	case compute.OpTypeMin:
		return binaryLoop(p, n, func(a, b T) T { return min(a, b) })
	}
	return false
}

func lowerComparison(p *planner, n *node) bool {
	switch n.inputs[0].shape.DType {
	case dtypes.Float32:
		return comparison[float32](p, n)
	case dtypes.Float64:
		return comparison[float64](p, n)
	case dtypes.Int32:
		return comparison[int32](p, n)
	case dtypes.Int64:
		return comparison[int64](p, n)
	case dtypes.Uint8:
		return comparison[uint8](p, n)
	case dtypes.Uint32:
		return comparison[uint32](p, n)
	case dtypes.Uint64:
		return comparison[uint64](p, n)
	}
	return false
}

func comparison[T cmp.Ordered](p *planner, n *node) bool {
	switch n.op {
	case compute.OpTypeEqual:
		return binaryLoop(p, n, func(a, b T) bool { return a == b })
	case compute.OpTypeNotEqual:
		return binaryLoop(p, n, func(a, b T) bool { return a != b })
	case compute.OpTypeLessThan:
		return binaryLoop(p, n, func(a, b T) bool { return a < b })
	case compute.OpTypeLessOrEqual:
		return binaryLoop(p, n, func(a, b T) bool { return a <= b })
	case compute.OpTypeGreaterThan:
		return binaryLoop(p, n, func(a, b T) bool { return a > b })
	case compute.OpTypeGreaterOrEqual:
		return binaryLoop(p, n, func(a, b T) bool { return a >= b })
	}
	return false
}

func lowerLogic(p *planner, n *node) bool {
	if n.inputs[0].shape.DType != dtypes.Bool {
		return false
	}
	if n.op == compute.OpTypeLogicalAnd {
		return binaryLoop(p, n, func(a, b bool) bool { return a && b })
	}
	return binaryLoop(p, n, func(a, b bool) bool { return a || b })
}

func lowerNot(p *planner, n *node) bool {
	if n.inputs[0].shape.DType != dtypes.Bool {
		return false
	}
	return unaryLoop(p, n, func(a bool) bool { return !a })
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
		return unaryLoop(p, n, func(v T) int32 { return int32(v) })
	case dtypes.Int64:
		return unaryLoop(p, n, func(v T) int64 { return int64(v) })
	case dtypes.Float32:
		return unaryLoop(p, n, func(v T) float32 { return float32(v) })
	case dtypes.Float64:
		return unaryLoop(p, n, func(v T) float64 { return float64(v) })
	case dtypes.Bool:
		return unaryLoop(p, n, func(v T) bool { return v != 0 })
	}
	return false
}

func convertBool(p *planner, n *node) bool {
	switch n.outputs[0].shape.DType {
	case dtypes.Int32:
		return unaryLoop(p, n, bit[int32])
	case dtypes.Int64:
		return unaryLoop(p, n, bit[int64])
	case dtypes.Float32:
		return unaryLoop(p, n, bit[float32])
	case dtypes.Float64:
		return unaryLoop(p, n, bit[float64])
	}
	return false
}

func bit[T number](v bool) T {
	if v {
		return 1
	}
	return 0
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
