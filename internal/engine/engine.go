// Package engine opens the GoMLX engines (compute.Backend) that networks run on.
//
// "go" is pure Go and always there; others are native libraries behind build
// tags. Nothing here is ever downloaded: a library is opened at the path that
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
//   - "" or "go": pure Go, part of every build. Use it from as many goroutines
//     as wanted; Kernels says how fast it is.
//   - "cutline": this project's own, pure Go with assembly kernels, part of every
//     build. CUTLINE_KERNELS chooses the kernels.
//   - "onnx:PATH": ONNX Runtime, from the shared library at PATH, in builds
//     with the tag onnx. The first library opened serves the whole process.
//
// A name that this build does not hold is an error that says what it holds.
func Open(name string) (compute.Backend, error) {
	kind, library, _ := strings.Cut(name, ":")
	switch {
	case name == "" || name == "go":
		return openGo()
	case name == native.Name:
		return openNative()
	case kind == "onnx":
		return openONNX(library)
	}
	return nil, fmt.Errorf("engine: unknown name %q: this build holds %s", name, strings.Join(Names(), ", "))
}

// Names returns the names that Open accepts in this build, the default first;
// "onnx" stands for "onnx:PATH".
func Names() []string {
	names := []string{"go", native.Name}
	if haveONNX {
		names = append(names, "onnx")
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
