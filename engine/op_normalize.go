package engine

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

func softmaxShape(n *node) (shapes.Shape, error) {
	s, axis := n.inputs[0].shape, n.attrs[0].(int)
	if axis < 0 || axis >= s.Rank() {
		return s, badAxis(axis, s)
	}
	return s, nil
}

// lowerSoftmax normalises the rows of the last axis; another axis is moved there.
func lowerSoftmax(p *planner, n *node) bool {
	x, axis := p.view(n.inputs[0]), n.attrs[0].(int)
	if x.dtype != dtypes.Float32 || x.size() == 0 || axis < 0 {
		return false
	}
	order, back := moveLast(len(x.dims), axis)
	x = p.dense(x.transposed(order))
	s := p.slot(temporary, bytesOf(n.outputs[0].shape))
	out := view{slot: s, dtype: x.dtype, dims: x.dims, strides: rowMajor(x.dims)}
	p.views[n.outputs[0]] = out.transposed(back)
	width := x.dims[len(x.dims)-1]
	p.rows("Softmax", x, out, nil, width, func(e *env, y, x []float32) { e.kernels.Softmax(y, x, width) })
	return true
}

// moveLast is the order of axes that moves one to the end, and the way back.
func moveLast(rank, axis int) (order, back []int) {
	for i := range rank {
		if i != axis {
			order = append(order, i)
		}
	}
	order = append(order, axis)
	back = make([]int, rank)
	for i, from := range order {
		back[from] = i
	}
	return order, back
}

// rows adds an instruction that works on some rows of dense tensors at a time.
func (p *planner) rows(name string, x, out view, also []view, width int, do func(e *env, y, x []float32)) {
	rows := x.size() / width
	perPart := max(1, 1<<13/width)
	p.emitParts(name, append(also, x), []view{out}, (rows+perPart-1)/perPart, func(e *env, _ *worker, part int) {
		first, end := part*perPart*width, min((part+1)*perPart, rows)*width
		do(e, e.floats(out)[first:end], e.floats(x)[first:end])
	})
}

// lowerLayerNorm is for the last axis, with gain and bias.
func lowerLayerNorm(p *planner, n *node) bool {
	axes, epsilon := n.attrs[0].([]int), n.attrs[1].(float64)
	if n.inputs[1] == nil || n.inputs[2] == nil || n.inputs[0].shape.DType != dtypes.Float32 || n.outputs[0].size() == 0 {
		return false
	}
	rank := n.inputs[0].shape.Rank()
	last := []int{rank - 1}
	if !slices.Equal(axes, last) && !slices.Equal(axes, []int{-1}) {
		return false
	}
	x, gain, bias := p.dense(p.view(n.inputs[0])), p.dense(p.view(n.inputs[1])), p.dense(p.view(n.inputs[2]))
	width := x.dims[rank-1]
	if gain.size() != width || bias.size() != width {
		return false
	}
	out := p.alloc(n.outputs[0])
	p.rows("LayerNorm", x, out, []view{gain, bias}, width, func(e *env, y, x []float32) {
		e.kernels.LayerNorm(y, x, e.floats(gain)[:width], e.floats(bias)[:width], float32(epsilon))
	})
	return true
}
