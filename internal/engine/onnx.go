//go:build onnx && cgo

package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	onnxbackend "github.com/gomlx/compute-onnx"
)

const haveONNX = true

// openONNX opens ONNX Runtime from the shared library at path.
func openONNX(path string) (compute.Backend, error) {
	if path == "" {
		return nil, fmt.Errorf("engine onnx: no library given: write onnx:/path/to/libonnxruntime.so")
	}
	// The backend reads its argument as options separated by commas, KEY=VALUE among them.
	if strings.ContainsAny(path, ",=") {
		return nil, fmt.Errorf("engine onnx: library path %q must hold neither ',' nor '='", path)
	}
	// Made absolute, because a bare file name would be read as an option too.
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("engine onnx: %w", err)
	}
	// Checked here, because once a library is open the backend ignores the path.
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("engine onnx: %w", err)
	}
	onnxbackend.EnableAutoInstall(false)
	b, err := onnxbackend.New(path)
	if err != nil {
		return nil, fmt.Errorf("engine onnx: %w", err)
	}
	return b, nil
}
