//go:build xla && cgo

package engine

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
)

const haveXLA = true

// openXLA opens XLA from the PJRT plugin at path, a shared library. Products of float32
// are not rounded to TF32, which graphics processors are faster with.
func openXLA(path string) (compute.Backend, error) {
	path, err := library("xla", path, "plugin.so", ",")
	if err != nil {
		return nil, err
	}
	b, err := xla.New(path + ",tf32=false")
	if err != nil {
		return nil, fmt.Errorf("engine xla: %w", err)
	}
	return b, nil
}
