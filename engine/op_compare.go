package engine

import (
	"cmp"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

func comparisonShape(n *node) (shapes.Shape, error) {
	return shapeinference.ComparisonOp(n.op, n.inputs[0].shape, n.inputs[1].shape)
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
		return p.mark(n) || binaryLoop(p, n, equal[T])
	case compute.OpTypeNotEqual:
		return binaryLoop(p, n, pairwise(func(a, b T) bool { return a != b }))
	case compute.OpTypeLessThan:
		return binaryLoop(p, n, less[T])
	case compute.OpTypeLessOrEqual:
		return binaryLoop(p, n, atMost[T])
	case compute.OpTypeGreaterThan:
		return binaryLoop(p, n, func(y []bool, a, b []T) { less(y, b, a) })
	case compute.OpTypeGreaterOrEqual:
		return binaryLoop(p, n, func(y []bool, a, b []T) { atMost(y, b, a) })
	}
	return false
}

func equal[T cmp.Ordered](y []bool, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] == b[i]
	}
}

func less[T cmp.Ordered](y []bool, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] < b[i]
	}
}

func atMost[T cmp.Ordered](y []bool, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] <= b[i]
	}
}

// mark computes rows that are compared with the numbers of their columns, as the rows of
// targets are: all false but for one, which needs no comparison.
func (p *planner) mark(n *node) bool {
	dims := n.outputs[0].shape.Dimensions
	for i, counted := range n.inputs {
		number := p.view(n.inputs[1-i]).like(dims)
		last := len(dims) - 1
		if !countsColumns(counted, last) || number.strides[last] != 0 && dims[last] != 1 {
			continue
		}
		read := indexReader(number.dtype)
		if read == nil || number.dtype == dtypes.Uint8 { // whose numbers of columns may begin anew
			return false
		}
		out, rows := p.alloc(n.outputs[0]), product(dims[:last])
		perPart := max(1, 1<<16/dims[last])
		p.emitParts(n.op.String(), []view{number}, []view{out}, (rows+perPart-1)/perPart, func(e *env, _ *worker, part int) {
			for row := part * perPart; row < min((part+1)*perPart, rows); row++ {
				y := slice[bool](e, out)[row*dims[last]:][:dims[last]]
				clear(y)
				at := number.offset + offsetOf(row, dims[:last], number.strides[:last])
				if column := read(e, number.slot, at); column >= 0 && column < len(y) {
					y[column] = true
				}
			}
		})
		return true
	}
	return false
}

// countsColumns tells whether a value counts along its last axis, number last.
func countsColumns(v *value, last int) bool {
	n := v.node
	return n.op == compute.OpTypeIota && n.attrs[1].(int) == last && v.shape.Rank() == last+1 && v.size() > 0
}
