package engine

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/notimplemented"
	"github.com/gomlx/compute/shapes"
)

// function records operations, in the order in which they are asked for. Methods
// that are not here or in capture_gen.go are refused.
type function struct {
	notimplemented.Function
	builder *builder
	parent  *function
	name    string

	nodes      []*node
	parameters []*value
	names      []string
	outputs    []*value
	returned   bool
}

func newFunction(b *builder, parent *function, name string) *function {
	f := &function{builder: b, parent: parent, name: name}
	f.ErrFn = func(op compute.OpType) error {
		return fmt.Errorf("engine: %s: %w", op, compute.ErrNotImplemented)
	}
	return f
}

func (f *function) Name() string             { return f.name }
func (f *function) Builder() compute.Builder { return f.builder }

func (f *function) Parent() compute.Function {
	if f.parent == nil {
		return nil
	}
	return f.parent
}

func (f *function) Closure() (compute.Function, error) { return newFunction(f.builder, f, ""), nil }

func (f *function) Shape(v compute.Value) (shapes.Shape, error) {
	known, ok := v.(*value)
	if !ok || known == nil {
		return shapes.Invalid(), fmt.Errorf("engine: not a value of this engine: %T", v)
	}
	return known.shape, nil
}

func (f *function) Parameter(name string, shape shapes.Shape, sharding *compute.ShardingSpec) (compute.Value, error) {
	switch {
	case f.returned:
		return nil, fmt.Errorf("engine: parameter %q after the function has returned", name)
	case sharding != nil:
		return nil, fmt.Errorf("engine: parameter %q: sharding: %w", name, compute.ErrNotImplemented)
	case shape.IsDynamic():
		return nil, fmt.Errorf("engine: parameter %q: dynamic shapes: %w", name, compute.ErrNotImplemented)
	case shape.DType == dtypes.InvalidDType:
		return nil, fmt.Errorf("engine: parameter %q has no data type", name)
	}
	n := &node{op: compute.OpTypeParameter, index: len(f.nodes)}
	v := f.append(n, []shapes.Shape{shape.Clone()})[0]
	f.parameters = append(f.parameters, v.(*value))
	f.names = append(f.names, name)
	return v, nil
}

func (f *function) Constant(flat any, dims ...int) (compute.Value, error) {
	dtype := dtypes.FromGoType(elemType(flat))
	if dtype == dtypes.InvalidDType {
		return nil, fmt.Errorf("engine: constant of %T", flat)
	}
	shape := shapes.Make(dtype, dims...)
	if n := lengthOf(flat); n != shape.Size() {
		return nil, fmt.Errorf("engine: a constant of shape %s with %d values", shape, n)
	}
	held := dtypes.MakeAnySlice(dtype, shape.Size())
	dtypes.CopyAnySlice(held, flat)
	n := &node{op: compute.OpTypeConstant, index: len(f.nodes), flat: held}
	n.replay = func(g compute.Function, _ []compute.Value) ([]compute.Value, error) {
		return list1(g.Constant(held, dims...))
	}
	return f.append(n, []shapes.Shape{shape})[0], nil
}

func (f *function) Return(outputs []compute.Value, shardings []*compute.ShardingSpec) error {
	if f.returned {
		return errors.New("engine: the function has returned before")
	}
	if len(outputs) == 0 {
		return errors.New("engine: a function without outputs")
	}
	for _, s := range shardings {
		if s != nil {
			return fmt.Errorf("engine: sharding: %w", compute.ErrNotImplemented)
		}
	}
	for i, output := range outputs {
		v, err := f.resolve(output)
		if err == nil && v == nil {
			err = errors.New("no value")
		}
		if err != nil {
			return fmt.Errorf("engine: output %d: %w", i, err)
		}
		f.outputs = append(f.outputs, v)
	}
	f.returned = true
	return nil
}
