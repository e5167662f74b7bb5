package engine

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// copy adds an instruction that copies from to to, of the same dims.
func (p *planner) copy(to, from view) {
	if to.size() == 0 {
		return
	}
	move := mover(to, from)
	p.emit("copy", []view{from}, []view{to}, func(e *env) error {
		return move(e, to.offset, from.offset)
	})
}

// mover returns a function that copies between two views of the same dims and
// type, whose first elements are at the given offsets.
func mover(to, from view) func(e *env, to, from int) error {
	switch to.dtype.Size() {
	case 1:
		return moverOf[uint8](to, from)
	case 2:
		return moverOf[uint16](to, from)
	case 4:
		return moverOf[uint32](to, from)
	case 8:
		return moverOf[uint64](to, from)
	}
	return moverOf[[2]uint64](to, from)
}

func moverOf[T any](to, from view) func(e *env, toAt, fromAt int) error {
	axes := ordered(to, from)
	row := axes[len(axes)-1]
	outer := axes[:len(axes)-1]
	rows := 1
	for _, a := range outer {
		rows *= a.dim
	}
	perPart := max(1, 1<<11/max(1, row.dim))
	parts := (rows + perPart - 1) / perPart
	next := pairAxis{dim: 1}
	if len(outer) > 0 {
		next = outer[len(outer)-1]
	}
	do := func(e *env, _ *worker, part int) {
		y, x := all[T](e, to.slot), all[T](e, from.slot)
		for r, end := part*perPart, min((part+1)*perPart, rows); r < end; {
			i, j := rowOf(outer, r)
			n := min(next.dim-r%next.dim, end-r)
			for k := range n {
				moveRow(y, x, e.toAt+i+k*next.to, e.fromAt+j+k*next.from, row)
			}
			r += n
		}
	}
	return func(e *env, toAt, fromAt int) error {
		e.toAt, e.fromAt = toAt, fromAt
		if parts == 1 {
			do(e, nil, 0)
			return nil
		}
		return e.each(parts, do)
	}
}

func moveRow[T any](y, x []T, i, j int, row pairAxis) {
	if row.to == 1 && row.from == 1 {
		copy(y[i:i+row.dim], x[j:j+row.dim])
		return
	}
	if row.to == 1 && row.from == 0 {
		spread(y[i:i+row.dim], x[j])
		return
	}
	for range row.dim {
		y[i] = x[j]
		i, j = i+row.to, j+row.from
	}
}

// spread sets all of y to v.
func spread[T any](y []T, v T) {
	if len(y) == 0 {
		return
	}
	y[0] = v
	for done := 1; done < len(y); done *= 2 {
		copy(y[done:], y[:done])
	}
}

// pairAxis is an axis of two views.
type pairAxis struct{ dim, to, from int }

// pair joins the axes that both views run through with one stride; there is
// always one.
func pair(to, from view) []pairAxis {
	var axes []pairAxis
	for i, d := range to.dims {
		if d == 1 {
			continue
		}
		a := pairAxis{d, to.strides[i], from.strides[i]}
		if n := len(axes); n > 0 && axes[n-1].to == d*a.to && axes[n-1].from == d*a.from {
			a.dim *= axes[n-1].dim
			axes = axes[:n-1]
		}
		axes = append(axes, a)
	}
	if len(axes) == 0 {
		axes = append(axes, pairAxis{1, 1, 1})
	}
	return axes
}

// ordered is pair with an axis at the end that is long: the one that is read value by value,
// where the last is shorter and values along it lie apart.
func ordered(to, from view) []pairAxis {
	axes := pair(to, from)
	last := &axes[len(axes)-1]
	if last.to == 1 && last.from <= 1 {
		return axes
	}
	for i := range axes {
		if a := &axes[i]; a.from == 1 && a.dim > last.dim {
			*a, *last = *last, *a
		}
	}
	return axes
}

// rowOf is where row number r of two views begins, whose axes but the last are outer.
func rowOf(outer []pairAxis, r int) (to, from int) {
	for k := len(outer) - 1; k >= 0; k-- {
		i := r % outer[k].dim
		to, from, r = to+i*outer[k].to, from+i*outer[k].from, r/outer[k].dim
	}
	return to, from
}

func shapesOfInputs(n *node) []shapes.Shape { return shapesOf(n.inputs) }

func concatenateShape(n *node) (shapes.Shape, error) {
	return shapeinference.Concatenate(shapesOfInputs(n), n.attrs[0].(int))
}

// lowerConcatenate copies each input to its place, unless they lie evenly apart, as slices
// of one tensor may: then what they are together is a view.
func lowerConcatenate(p *planner, n *node) bool {
	axis, out := n.attrs[0].(int), n.outputs[0]
	if out.shape.DType.IsPacked() {
		return false
	}
	if v, ok := p.evenly(n.inputs, axis); ok {
		p.views[out] = v
		return true
	}
	to, at := p.allocPieces(out), 0
	for _, v := range n.inputs {
		starts := make([]int, len(to.dims))
		starts[axis] = at
		at += v.shape.Dimensions[axis]
		p.copy(to.sliced(starts, v.shape.Dimensions, nil), p.view(v))
	}
	return true
}

// evenly is a view of values that lie in one slot, each as far behind the one before, and are
// 1 long along an axis or go on there where the one before ends. What they share is not
// copied: of a convolution, a place is seen by several places of the kernel. A gradient
// would read it along other axes, in pieces too short.
func (p *planner) evenly(values []*value, axis int) (view, bool) {
	first := p.view(values[0])
	if len(values) < 2 {
		return first, false
	}
	apart, long := p.view(values[1]).offset-first.offset, first.dims[axis]
	goesOn := apart == long*first.strides[axis] && !p.backend.options.Training
	if long != 1 && !goesOn {
		return first, false
	}
	for i, v := range values {
		w := p.view(v)
		if w.slot != first.slot || w.offset != first.offset+i*apart || !slices.Equal(w.dims, first.dims) || !slices.Equal(w.strides, first.strides) {
			return first, false
		}
	}
	first.dims, first.strides = slices.Clone(first.dims), slices.Clone(first.strides)
	if first.dims[axis] *= len(values); long == 1 {
		first.strides[axis] = apart
	}
	return first, apart >= 0
}

func padShape(n *node) (shapes.Shape, error) {
	return shapeinference.Pad(n.inputs[0].shape, n.attrs[0].([]compute.PadAxis)...)
}

// lowerPad fills the output and copies the input into its middle.
func lowerPad(p *planner, n *node) bool {
	from := p.view(n.inputs[0])
	starts, steps := make([]int, len(from.dims)), make([]int, len(from.dims))
	for i := range steps {
		steps[i] = 1
	}
	for i, a := range n.attrs[0].([]compute.PadAxis) {
		if a.Start < 0 || a.End < 0 || a.Interior < 0 {
			return false
		}
		starts[i], steps[i] = a.Start, a.Interior+1
	}
	if n.outputs[0].shape.DType.IsPacked() {
		return false
	}
	to, number := p.allocPieces(n.outputs[0]), p.view(n.inputs[1])
	around := []view{to}
	if !slices.ContainsFunc(steps, func(step int) bool { return step > 1 }) {
		around = edges(to, starts, from.dims)
	}
	for _, v := range around {
		p.copy(v, number.like(v.dims))
	}
	p.copy(to.sliced(starts, slices.Clone(from.dims), steps), from)
	return true
}

// edges are the parts of a view that surround those of its elements that begin at starts and
// have the given dims.
func edges(v view, starts, dims []int) []view {
	var parts []view
	for i, d := range v.dims {
		for _, part := range [][2]int{{0, starts[i]}, {starts[i] + dims[i], d - starts[i] - dims[i]}} {
			from, long := make([]int, len(dims)), slices.Clone(v.dims)
			if from[i], long[i] = part[0], part[1]; part[1] > 0 {
				parts = append(parts, v.sliced(from, long, nil))
			}
		}
	}
	return parts
}
