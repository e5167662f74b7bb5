// Package engine opens the GoMLX engines (compute.Backend) that networks run on.
//
// "cutline" and "go" are pure Go and always there; others are native libraries
// behind build tags. Nothing here is ever downloaded: a library is opened at the path that
// the caller gives, or not at all.
package engine

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"

	native "github.com/cutline-go/cutline/engine"
)

// Open returns the engine called name:
//
//   - "" or "cutline": this project's own, pure Go with assembly kernels, part of
//     every build. Use it from as many goroutines as wanted. CUTLINE_KERNELS
//     chooses the kernels.
//   - "cutline:training": the same without fused operations, which a graph with
//     gradients would compute beside their decomposed twins.
//   - "go": GoMLX's, pure Go, part of every build; Kernels says how fast it is.
//   - "onnx:PATH": ONNX Runtime, from the shared library at PATH, in builds
//     with the tag onnx. The first library opened serves the whole process.
//   - "xla:PATH": XLA, from the PJRT plugin at PATH, such as the one for CUDA that is part
//     of jax, in builds with the tag xla.
//
// A name that this build does not hold is an error that says what it holds.
func Open(name string) (compute.Backend, error) {
	kind, library, _ := strings.Cut(name, ":")
	switch {
	case name == "" || name == native.Name:
		return native.New(native.FromEnvironment())
	case name == native.Name+":training":
		o := native.FromEnvironment()
		o.Training = true
		return native.New(o)
	case name == "go":
		return openGo()
	case kind == "onnx":
		return openONNX(library)
	case kind == "xla":
		return openXLA(library)
	}
	return nil, fmt.Errorf("engine: unknown name %q: this build holds %s", name, strings.Join(Names(), ", "))
}

// Names returns the names that Open accepts in this build, the default first;
// "onnx" and "xla" stand for "onnx:PATH" and "xla:PATH".
func Names() []string {
	names := []string{native.Name, "go"}
	if haveONNX {
		names = append(names, "onnx")
	}
	if haveXLA {
		names = append(names, "xla")
	}
	return names
}

// newGoBackend opens GoMLX's pure Go backend with its ops run one after
// another (each matrix product still uses every core). By default it runs ops
// as tasks of the worker pool whose workers they then wait for, and a training
// graph deadlocks as soon as such tasks fill the pool.
func newGoBackend() (compute.Backend, error) {
	b, err := gobackend.New("ops_sequential")
	if err != nil {
		return nil, fmt.Errorf("engine go: %w", err)
	}
	return b, nil
}

// Kernels says, for people to read, which kernels the two engines in pure Go
// multiply matrices with.
func Kernels() string {
	return fmt.Sprintf("%s %s; go %s", native.Name, strings.Join(native.Kernels(), " or "), goKernels())
}
