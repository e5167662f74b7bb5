package engine

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/notimplemented"
	"github.com/gomlx/compute/shapes"
)

// builder holds the functions of a graph.
type builder struct {
	notimplemented.Builder
	backend *Backend
	name    string
	main    *function
	done    bool
}

func newBuilder(b *Backend, name string) *builder {
	builder := &builder{backend: b, name: name}
	builder.ErrFn = func(op compute.OpType) error {
		return fmt.Errorf("engine: %s: %w", op, compute.ErrNotImplemented)
	}
	builder.main = newFunction(builder, nil, compute.MainName)
	return builder
}

func (b *builder) Name() string           { return b.name }
func (b *builder) Main() compute.Function { return b.main }

func (b *builder) NewFunction(name string) (compute.Function, error) {
	if name == "" || name == compute.MainName {
		return nil, fmt.Errorf("engine: no function can have the name %q", name)
	}
	return newFunction(b, nil, name), nil
}

func (b *builder) OpShape(v compute.Value) (shapes.Shape, error) { return b.main.Shape(v) }

func (b *builder) DeviceAssignment(devices ...compute.DeviceNum) error {
	if len(devices) != 1 || devices[0] != 0 {
		return fmt.Errorf("engine: devices %v: there is one, number 0", devices)
	}
	return nil
}

func (b *builder) Compile() (_ compute.Executable, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("engine: compiling %q: %v", b.name, r)
		}
	}()
	switch {
	case b.done:
		return nil, errors.New("engine: the graph has been compiled before")
	case !b.main.returned:
		return nil, errors.New("engine: the graph has no outputs: Return was not called")
	}
	b.done = true
	e, err := plan(b.backend, b.main)
	if err != nil {
		return nil, fmt.Errorf("engine: compiling %q: %w", b.name, err)
	}
	return e, nil
}
