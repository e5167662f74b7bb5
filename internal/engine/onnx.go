//go:build onnx && cgo

package engine

import (
	"fmt"

	"github.com/gomlx/compute"
	onnxbackend "github.com/gomlx/compute-onnx"
)

const haveONNX = true

// openONNX opens ONNX Runtime from the shared library at path.
func openONNX(path string) (compute.Backend, error) {
	path, err := library("onnx", path, "libonnxruntime.so", ",=")
	if err != nil {
		return nil, err
	}
	onnxbackend.EnableAutoInstall(false)
	b, err := onnxbackend.New(path)
	if err != nil {
		return nil, fmt.Errorf("engine onnx: %w", err)
	}
	return b, nil
}
