package engine

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// node is an operation of a graph as it was recorded.
type node struct {
	op      compute.OpType
	index   int // in its function's nodes
	inputs  []*value
	attrs   []any // the arguments that are no values, in their order
	outputs []*value

	flat   any // a constant's values
	replay replay
}

// replay records the operation again in a function g of another backend.
type replay func(g compute.Function, inputs []compute.Value) ([]compute.Value, error)

// value is an output of a node; compute.Value is always a *value.
type value struct {
	node     *node
	function *function
	output   int
	shape    shapes.Shape
}

// size is the number of a value's elements.
func (v *value) size() int { return v.shape.Size() }

// capture records an operation and returns its outputs.
func (f *function) capture(op compute.OpType, inputs []compute.Value, attrs []any, again replay) ([]compute.Value, error) {
	if f.returned {
		return nil, fmt.Errorf("engine: %s after the function has returned", op)
	}
	n := &node{op: op, index: len(f.nodes), attrs: attrs, replay: again}
	for i, input := range inputs {
		v, err := f.resolve(input)
		if err != nil {
			return nil, fmt.Errorf("engine: %s: input %d: %w", op, i, err)
		}
		n.inputs = append(n.inputs, v)
	}
	if refused(op) || f.builder.backend.declines(n) {
		return nil, fmt.Errorf("engine: %s: %w", op, compute.ErrNotImplemented)
	}
	outputs, err := f.builder.infer(n)
	if err != nil {
		return nil, fmt.Errorf("engine: %s: %w", op, err)
	}
	return f.append(n, outputs), nil
}

func (f *function) append(n *node, outputs []shapes.Shape) []compute.Value {
	f.nodes = append(f.nodes, n)
	values := make([]compute.Value, len(outputs))
	for i, shape := range outputs {
		v := &value{node: n, function: f, output: i, shape: shape}
		n.outputs = append(n.outputs, v)
		values[i] = v
	}
	return values
}

// resolve checks that an input is a value of this function or of a parent. An
// absent one, as an optional bias, is nil.
func (f *function) resolve(input compute.Value) (*value, error) {
	if input == nil {
		return nil, nil
	}
	v, ok := input.(*value)
	if !ok || v == nil {
		return nil, fmt.Errorf("not a value of this engine: %T", input)
	}
	for g := f; g != nil; g = g.parent {
		if v.function == g {
			return v, nil
		}
	}
	return nil, fmt.Errorf("a value of another function")
}

// infer finds the shapes of a node's outputs: by the operation's own rule where
// the engine has one, else by recording it in GoMLX's Go engine.
func (b *builder) infer(n *node) ([]shapes.Shape, error) {
	if o, ok := b.backend.ops[n.op]; ok && o.shape != nil && complete(n) {
		shape, err := o.shape(n)
		return []shapes.Shape{shape}, err
	}
	return b.backend.fallback.infer(n)
}

// declines tells which fused operations GoMLX is to build of others: all in
// training.
func (b *Backend) declines(n *node) bool { return b.options.Training && fused(n.op) }

// complete tells whether all inputs are there that an operation must have.
func complete(n *node) bool {
	for i, v := range n.inputs {
		optional := n.op == compute.OpTypeFusedDense && i == 2 || n.op == compute.OpTypeFusedLayerNorm && i > 0
		if v == nil && !optional {
			return false
		}
	}
	return true
}

func (f *function) one(op compute.OpType, inputs []compute.Value, attrs []any, again replay) (compute.Value, error) {
	v, err := f.capture(op, inputs, attrs, again)
	if err != nil {
		return nil, err
	}
	return v[0], nil
}

func (f *function) two(op compute.OpType, inputs []compute.Value, attrs []any, again replay) (a, b compute.Value, err error) {
	v, err := f.capture(op, inputs, attrs, again)
	if err != nil {
		return nil, nil, err
	}
	return v[0], v[1], nil
}

func (f *function) three(op compute.OpType, inputs []compute.Value, attrs []any, again replay) (a, b, c compute.Value, err error) {
	v, err := f.capture(op, inputs, attrs, again)
	if err != nil {
		return nil, nil, nil, err
	}
	return v[0], v[1], v[2], nil
}

func list1(a compute.Value, err error) ([]compute.Value, error) { return []compute.Value{a}, err }

func list2(a, b compute.Value, err error) ([]compute.Value, error) {
	return []compute.Value{a, b}, err
}

func list3(a, b, c compute.Value, err error) ([]compute.Value, error) {
	return []compute.Value{a, b, c}, err
}

func join(lists ...[]compute.Value) []compute.Value {
	var all []compute.Value
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}
