// Package golden lets tests find the reference tensors and compare with them.
//
// They lie in the folder that the environment variable CUTLINE_SHARED names
// (relative to the repository's root, if it is relative), else beside the
// repository, in ../shared.
package golden

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/cutline-go/cutline/internal/weights"
)

// Root returns the repository's root: the nearest folder above the test's
// that holds go.mod.
func Root(t testing.TB) string {
	t.Helper()
	start, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if exists(filepath.Join(dir, "go.mod")) {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("no go.mod above %s", start)
		}
	}
}

// Shared returns the path of a file or folder in the shared folder. The test
// is skipped where there is none; once CUTLINE_SHARED is set, it fails.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	path, required := locate(t, elem...)
	switch {
	case exists(path):
	case required:
		t.Fatalf("%s is missing, though CUTLINE_SHARED is set", path)
	default:
		t.Skipf("%s is missing; set CUTLINE_SHARED to test against it", path)
	}
	return path
}

// Dir returns the folder of the golden files called name: from the shared
// folder, else the copy in the repository's testdata/golden. The test is
// skipped where there is neither; once CUTLINE_SHARED is set, only the shared
// folder counts, and the test fails.
func Dir(t testing.TB, name string) string {
	t.Helper()
	path, required := locate(t, "golden", name)
	carried := filepath.Join(Root(t), "testdata", "golden", name)
	if !required && !exists(path) && exists(carried) {
		return carried
	}
	return Shared(t, "golden", name)
}

// Carried returns the folder of the golden files called name that this project made
// itself, by a script in reference: it lies in the repository's testdata/golden.
func Carried(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(Root(t), "testdata", "golden", name)
	if !exists(path) {
		t.Fatalf("%s is missing: it is part of the repository", path)
	}
	return path
}

// Load opens a file of tensors, which is closed when the test ends.
func Load(t testing.TB, path string) *weights.File {
	t.Helper()
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// Compare fails the test if the error of got, max|got−want| / max|want|,
// exceeds tol, naming what was compared and the worst element. A NaN on
// either side fails, and so does an infinity that the other side lacks.
func Compare(t testing.TB, what string, got, want []float32, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	worst, difference, scale := 0, 0.0, 0.0
	for i := range want {
		g, w := float64(got[i]), float64(want[i])
		if g == w && math.IsInf(w, 0) {
			continue // it matches, and is no scale for the others
		}
		d := math.Abs(g - w)
		if math.IsNaN(d) || math.IsInf(d, 0) {
			t.Errorf("%s[%d]: %g, want %g", what, i, got[i], want[i])
			return
		}
		scale = max(scale, math.Abs(w))
		if d > difference {
			worst, difference = i, d
		}
	}
	// Where all that is wanted is zero, any difference is infinitely wrong.
	if e := difference / scale; difference > 0 && e > tol {
		t.Errorf("%s[%d]: %g, want %g; error %.3g of the largest value, more than %g", what, worst, got[worst], want[worst], e, tol)
	}
}

// locate returns where a shared file belongs, and whether it must exist.
func locate(t testing.TB, elem ...string) (path string, required bool) {
	t.Helper()
	shared := os.Getenv("CUTLINE_SHARED")
	required = shared != ""
	if !required {
		shared = filepath.Join("..", "shared")
	}
	if !filepath.IsAbs(shared) {
		shared = filepath.Join(Root(t), shared)
	}
	return filepath.Join(append([]string{shared}, elem...)...), required
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
