//go:build (onnx || xla) && cgo

package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// library is the absolute path of the shared library that an engine of that kind is to be
// opened from. The backends read their argument as options parted by commas, in which they
// may look for KEY=VALUE: parting are the characters that a path must not hold. It is made
// absolute, because a bare name would be looked for elsewhere, and must exist, because once
// a library is open a backend may ignore the path.
func library(kind, path, example, parting string) (string, error) {
	if path == "" {
		return "", fmt.Errorf("engine %s: no library given: write %s:/path/to/%s", kind, kind, example)
	}
	if strings.ContainsAny(path, parting) {
		return "", fmt.Errorf("engine %s: library path %q must hold none of %q", kind, path, parting)
	}
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return "", fmt.Errorf("engine %s: %w", kind, err)
	}
	return path, nil
}
