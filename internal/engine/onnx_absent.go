//go:build !onnx || !cgo

package engine

import (
	"errors"

	"github.com/gomlx/compute"
)

const haveONNX = false

func openONNX(string) (compute.Backend, error) {
	return nil, errors.New("engine onnx: not in this build: build with -tags onnx and cgo")
}
