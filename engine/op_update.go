package engine

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

func dynamicSliceShape(n *node) (shapes.Shape, error) {
	return shapeinference.DynamicSlice(n.inputs[0].shape, n.attrs[0].([]int))
}

func updateShape(n *node) (shapes.Shape, error) {
	return shapeinference.DynamicUpdateSlice(n.inputs[0].shape, n.inputs[1].shape)
}

// starts returns a function that finds the first element of a window of dims in
// v, whose position scalars tell; nil for scalars that are no integers. Windows
// that would leave v are moved into it.
func (p *planner) starts(v view, dims []int, scalars []*value) (func(e *env) int, []view) {
	var views []view
	var readers []func(e *env, s *slot, i int) int
	for _, s := range scalars {
		read := indexReader(s.shape.DType)
		if read == nil || len(scalars) != len(v.dims) {
			return nil, nil
		}
		readers, views = append(readers, read), append(views, p.view(s))
	}
	return func(e *env) int {
		at := v.offset
		for i, s := range views {
			start := readers[i](e, s.slot, s.offset)
			at += min(max(start, 0), v.dims[i]-dims[i]) * v.strides[i]
		}
		return at
	}, views
}

func lowerDynamicSlice(p *planner, n *node) bool {
	from, dims := p.view(n.inputs[0]), n.outputs[0].shape.Dimensions
	at, reads := p.starts(from, dims, n.inputs[1:])
	if at == nil || from.dtype.IsPacked() || n.outputs[0].size() == 0 {
		return false
	}
	to := p.alloc(n.outputs[0])
	window := from
	window.dims = dims
	move := mover(to, window)
	p.emit(n.op.String(), append(reads, from), []view{to}, func(e *env) error {
		return move(e, to.offset, at(e))
	})
	return true
}

// lowerUpdate writes into the operand's own memory where nobody reads it later.
func lowerUpdate(p *planner, n *node) bool {
	base, update := p.view(n.inputs[0]), p.view(n.inputs[1])
	if base.dtype.IsPacked() || update.size() == 0 {
		return false
	}
	if _, reads := p.starts(base, update.dims, n.inputs[2:]); len(reads) != len(base.dims) {
		return false
	}
	to, ok := p.inPlace(n, base)
	if p.views[n.outputs[0]] = to; !ok {
		to = p.allocPieces(n.outputs[0])
		p.copy(to, base)
	}
	at, reads := p.starts(to, update.dims, n.inputs[2:])
	window := to
	window.dims = update.dims
	move := mover(window, update)
	p.emit(n.op.String(), append(reads, update, to), []view{to}, func(e *env) error {
		return move(e, at(e), update.offset)
	})
	return true
}

// overwrites handles a Where whose condition is the same for whole blocks, as
// where a position of a cache is written, and whose other branch nobody reads
// later: only the blocks that change are written. A block has all axes that the
// condition does not depend on, so that it is looked at once for each of its values.
func (p *planner) overwrites(n *node) bool {
	if n.op != compute.OpTypeWhere || len(p.parts[n]) != 1 {
		return false
	}
	dims := n.outputs[0].shape.Dimensions
	condition, from := p.view(n.inputs[0]).like(dims), p.view(n.inputs[1]).like(dims)
	axis := len(dims)
	for axis > 0 && (condition.strides[axis-1] == 0 || dims[axis-1] == 1) {
		axis--
	}
	base := p.view(n.inputs[2])
	if len(base.dims) != len(dims) || product(dims[axis:]) < 16 || n.outputs[0].shape.DType != dtypes.Float32 {
		return false
	}
	if n.outputs[0].size() != base.size() {
		return false
	}
	to, ok := p.inPlace(n, base)
	if !ok {
		return false
	}
	p.views[n.outputs[0]] = to
	var rows, block []int
	for i := range dims {
		if i < axis && dims[i] != 1 && condition.strides[i] != 0 {
			rows = append(rows, i)
		} else {
			block = append(block, i)
		}
	}
	conditionRows, toRows, fromRows := condition.transposed(rows), to.transposed(rows), from.transposed(rows)
	move := mover(to.transposed(block), from.transposed(block))
	p.emit("Where in place", []view{condition, from, to}, []view{to}, func(e *env) error {
		var err error
		conditions := all[bool](e, condition.slot)
		walk(toRows.dims, []view{conditionRows, toRows, fromRows}, func(at places) {
			if err == nil && conditions[at[0]] {
				err = move(e, at[1], at[2])
			}
		})
		return err
	})
	return true
}
