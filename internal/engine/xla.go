//go:build xla && cgo

package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
)

const haveXLA = true

// openXLA opens XLA from the PJRT plugin at path, a shared library. Products of float32
// are not rounded to TF32, which graphics processors are faster with.
func openXLA(path string) (compute.Backend, error) {
	if path == "" {
		return nil, fmt.Errorf("engine xla: no plugin given: write xla:/path/to/plugin.so")
	}
	// The backend reads its argument as options parted by commas.
	if strings.Contains(path, ",") {
		return nil, fmt.Errorf("engine xla: plugin path %q must not hold ','", path)
	}
	// Made absolute, because a bare name would be looked for in the system's folders.
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("engine xla: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("engine xla: %w", err)
	}
	b, err := xla.New(path + ",tf32=false")
	if err != nil {
		return nil, fmt.Errorf("engine xla: %w", err)
	}
	return b, nil
}
