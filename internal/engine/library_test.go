//go:build (onnx || xla) && cgo

package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenLibrary(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("lib.so", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if path, err := library("xla", "lib.so", "plugin.so", ","); err != nil || !filepath.IsAbs(path) || filepath.Base(path) != "lib.so" {
		t.Errorf("library(lib.so) = %q, %v, want its absolute path", path, err)
	}
	for _, test := range []struct{ path, want string }{
		{"", "write xla:/path/to/plugin.so"},
		{"lib.so,tf32=true", "must hold none of"},
		{"absent.so", "no such file"},
	} {
		if path, err := library("xla", test.path, "plugin.so", ","); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("library(%q) = %q, %v, want an error that says %q", test.path, path, err, test.want)
		}
	}
}
