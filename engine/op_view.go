package engine

import (
	"fmt"

	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// The operations of this file move no element: they look at memory in another way.

func unchangedShape(n *node) (shapes.Shape, error) { return n.inputs[0].shape, nil }

func reshapeShape(n *node) (shapes.Shape, error) {
	return shapeinference.Reshape(n.inputs[0].shape, n.attrs[0].([]int))
}

func transposeShape(n *node) (shapes.Shape, error) {
	return shapeinference.Transpose(n.inputs[0].shape, n.attrs[0].([]int))
}

func broadcastShape(n *node) (shapes.Shape, error) {
	s := n.attrs[0].(shapes.Shape)
	return s, shapeinference.BroadcastInDim(n.inputs[0].shape, s, n.attrs[1].([]int), nil)
}

func sliceShape(n *node) (shapes.Shape, error) {
	return shapeinference.Slice(n.inputs[0].shape, n.attrs[0].([]int), n.attrs[1].([]int), n.attrs[2].([]int))
}

func badAxis(axis int, s shapes.Shape) error {
	return fmt.Errorf("engine: axis %d of shape %s", axis, s)
}

func lowerIdentity(p *planner, n *node) bool {
	p.views[n.outputs[0]] = p.view(n.inputs[0])
	return true
}

func lowerReshape(p *planner, n *node) bool {
	v, dims := p.view(n.inputs[0]), n.outputs[0].shape.Dimensions
	w, ok := v.reshaped(dims)
	if !ok {
		w, ok = p.dense(v).reshaped(dims)
	}
	p.views[n.outputs[0]] = w
	return ok
}

func lowerTranspose(p *planner, n *node) bool {
	p.views[n.outputs[0]] = p.view(n.inputs[0]).transposed(n.attrs[0].([]int))
	return true
}

func lowerBroadcast(p *planner, n *node) bool {
	p.views[n.outputs[0]] = p.view(n.inputs[0]).broadcast(n.outputs[0].shape.Dimensions, n.attrs[1].([]int))
	return true
}

func lowerSlice(p *planner, n *node) bool {
	steps := n.attrs[2].([]int)
	if len(steps) == 0 {
		steps = nil
	}
	p.views[n.outputs[0]] = p.view(n.inputs[0]).sliced(n.attrs[0].([]int), n.outputs[0].shape.Dimensions, steps)
	return true
}

func lowerReverse(p *planner, n *node) bool {
	v := p.view(n.inputs[0])
	w := v.sliced(make([]int, len(v.dims)), v.dims, nil)
	for _, axis := range n.attrs[0].([]int) {
		if axis < 0 || axis >= len(v.dims) {
			return false
		}
		if v.dims[axis] > 0 {
			w.offset += (v.dims[axis] - 1) * v.strides[axis]
			w.strides[axis] = -v.strides[axis]
		}
	}
	p.views[n.outputs[0]] = w
	return true
}
