package golden

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/weights"
)

// recorder takes a test's verdict instead of the test that runs.
type recorder struct {
	testing.TB
	failed, skipped string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.failed = strings.TrimSpace(format)
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = format
	runtime.Goexit()
}
func (r *recorder) Skipf(format string, args ...any) {
	r.skipped = format
	runtime.Goexit()
}

// record runs f as a test would.
func record(t *testing.T, f func(testing.TB)) *recorder {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r
}

func TestCompare(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	tests := []struct {
		name      string
		got, want []float32
		fails     bool
	}{
		{"equal", []float32{1, 2}, []float32{1, 2}, false},
		{"within", []float32{0, 99.5}, []float32{0.5, 100}, false},
		{"beyond", []float32{0, 97}, []float32{0, 100}, true},
		{"small beside large", []float32{0.5, 100}, []float32{0.1, 100}, false},
		{"length", []float32{1}, []float32{1, 2}, true},
		{"both empty", nil, nil, false},
		{"got NaN", []float32{1, nan}, []float32{1, 2}, true},
		{"want NaN", []float32{1, 2}, []float32{1, nan}, true},
		{"both NaN", []float32{1, nan}, []float32{1, nan}, true},
		{"zeros", []float32{0, 0}, []float32{0, 0}, false},
		{"zeros wanted", []float32{0, 1e-9}, []float32{0, 0}, true},
		{"same infinity", []float32{inf, 1}, []float32{inf, 1}, false},
		{"infinity is no scale", []float32{inf, 1}, []float32{inf, 2}, true},
		{"got infinity", []float32{inf, 1}, []float32{1, 1}, true},
		{"want infinity", []float32{1, 1}, []float32{inf, 1}, true},
		{"other infinity", []float32{inf}, []float32{-inf}, true},
	}
	for _, tt := range tests {
		r := record(t, func(t testing.TB) { Compare(t, tt.name, tt.got, tt.want, 0.01) })
		if failed := r.failed != ""; failed != tt.fails {
			t.Errorf("%s: fails is %v, want %v", tt.name, failed, tt.fails)
		}
	}
}

func TestShared(t *testing.T) {
	if _, err := os.Stat(filepath.Join(Root(t), "go.mod")); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "golden", "there"), 0o700); err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(Root(t), dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, shared := range []string{dir, relative} {
		t.Setenv("CUTLINE_SHARED", shared)
		if got := Dir(t, "there"); got != filepath.Join(dir, "golden", "there") {
			t.Errorf("CUTLINE_SHARED=%s gives %s", shared, got)
		}
		if r := record(t, func(t testing.TB) { Dir(t, "none") }); r.failed == "" {
			t.Error("a missing folder does not fail though CUTLINE_SHARED is set")
		}
	}
	t.Setenv("CUTLINE_SHARED", "")
	if r := record(t, func(t testing.TB) { Dir(t, "none") }); r.skipped == "" || r.failed != "" {
		t.Errorf("a missing folder: skipped %q, failed %q", r.skipped, r.failed)
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	tensor, err := weights.FromFloat32("a", weights.F32, []int{1}, []float32{2})
	if err != nil {
		t.Fatal(err)
	}
	if err := weights.WriteSafetensors(path, []weights.Tensor{tensor}, nil); err != nil {
		t.Fatal(err)
	}
	var f *weights.File
	t.Run("open", func(t *testing.T) {
		f = Load(t, path)
		if len(f.Names()) != 1 {
			t.Errorf("names are %v", f.Names())
		}
	})
	if len(f.Names()) != 0 {
		t.Error("the file is still open after its test")
	}
}
