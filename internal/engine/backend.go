//go:build goexperiment.simd && amd64

package engine

import (
	"simd/archsimd"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// backend is GoMLX's go backend with the float32 ops replaced that are
// hundreds of times too slow beside its vector kernels.
//
// The kernels, and with GOEXPERIMENT=simd the restart of any goroutine that
// the scheduler has preempted, leave the upper halves of the vector registers
// in use. Code that then mixes VEX and legacy SSE instructions, as the assembly
// of math.Exp does, pays a state transition at nearly every instruction. Which
// thread is in that state cannot be known, let alone kept, so function composes
// those ops of others that compile to legacy SSE alone. docs/adr/0002 has the
// measurements.
//
// GoMLX compares backends by identity and the go backend asserts its own
// types, so builders, functions, executables and buffers are wrapped on the
// way out and unwrapped on the way in; values pass unchanged.
type backend struct{ compute.Backend }

func (b *backend) Builder(name string) compute.Builder {
	return &builder{b.Backend.Builder(name), b}
}

func (b *backend) BufferFromFlatData(device compute.DeviceNum, flat any, shape shapes.Shape) (compute.Buffer, error) {
	return b.wrap(b.Backend.BufferFromFlatData(device, flat, shape))
}

func (b *backend) NewSharedBuffer(device compute.DeviceNum, shape shapes.Shape) (compute.Buffer, any, error) {
	inner, flat, err := b.Backend.NewSharedBuffer(device, shape)
	buf, err := b.wrap(inner, err)
	return buf, flat, err
}

func (b *backend) wrap(inner compute.Buffer, err error) (compute.Buffer, error) {
	if err != nil {
		return nil, err
	}
	return &buffer{inner, b}, nil
}

// buffer is a buffer of the go backend that names the wrapper as its backend.
type buffer struct {
	compute.Buffer
	backend *backend
}

func (b *buffer) Backend() compute.Backend { return b.backend }

func (b *buffer) CopyToDevice(device compute.DeviceNum) (compute.Buffer, error) {
	return b.backend.wrap(b.Buffer.CopyToDevice(device))
}

type builder struct {
	compute.Builder
	backend *backend
}

func (b *builder) Main() compute.Function { return &function{b.Builder.Main(), b} }

func (b *builder) NewFunction(name string) (compute.Function, error) {
	inner, err := b.Builder.NewFunction(name)
	if err != nil {
		return nil, err
	}
	return &function{inner, b}, nil
}

func (b *builder) Compile() (compute.Executable, error) {
	inner, err := b.Builder.Compile()
	if err != nil {
		return nil, err
	}
	return &executable{inner, b.backend}, nil
}

type executable struct {
	compute.Executable
	backend *backend
}

func (e *executable) Execute(inputs []compute.Buffer, donate []bool, device compute.DeviceNum) ([]compute.Buffer, error) {
	inner := make([]compute.Buffer, len(inputs))
	for i, in := range inputs {
		inner[i] = in
		if b, ok := in.(*buffer); ok {
			inner[i] = b.Buffer
		}
	}
	outputs, err := e.Executable.Execute(inner, donate, device)
	// Spare the caller's own math.Exp, as far as one can: small products ran on
	// this thread. The threads of the worker pool stay dirty, and the caller may
	// be moved to one of them.
	archsimd.ClearAVXUpperBits()
	if err != nil {
		return nil, err
	}
	for i, out := range outputs {
		outputs[i] = &buffer{out, e.backend}
	}
	return outputs, nil
}
