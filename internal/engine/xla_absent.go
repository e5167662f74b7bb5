//go:build !xla || !cgo

package engine

import (
	"errors"

	"github.com/gomlx/compute"
)

const haveXLA = false

func openXLA(string) (compute.Backend, error) {
	return nil, errors.New("engine xla: not in this build: build with -tags xla and cgo")
}
