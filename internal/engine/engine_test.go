package engine

import (
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

func TestOpenErrors(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"tpu", "unknown name"},
		{"go:fast", "unknown name"},
		{"onnx", "onnx"},
		{"onnx:", "onnx"},
		{"onnx:/no/such/library.so", "onnx"},
		{"onnx:a,cuda", "onnx"},
		{"xla:/no/such/plugin.so", "xla"},
		{"xla:a,tf32=true", "xla"},
	} {
		b, err := Open(test.name)
		if err == nil {
			t.Errorf("Open(%q) = %v, want an error", test.name, b)
			continue
		}
		if !strings.Contains(err.Error(), test.want) {
			t.Errorf("Open(%q): %q does not say %q", test.name, err, test.want)
		}
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	for _, test := range []struct {
		name      string
		have      bool
		with, not string
	}{
		{"onnx", haveONNX, "onnx:/path/to/libonnxruntime.so", "-tags onnx"},
		{"xla", haveXLA, "xla:/path/to/plugin.so", "-tags xla"},
	} {
		want := test.not
		if test.have {
			want = test.with
		}
		for _, name := range []string{test.name, test.name + ":"} {
			if _, err := Open(name); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Open(%s): %v, want it to say %q", name, err, want)
			}
		}
	}
}

func TestNames(t *testing.T) {
	names := Names()
	if names[0] != "cutline" {
		t.Errorf("Names() = %q, want the default, cutline, first", names)
	}
	for name, have := range map[string]bool{"onnx": haveONNX, "xla": haveXLA} {
		if holds := slices.Contains(names, name); holds != have {
			t.Errorf("Names() = %q with %s built in: %v", names, name, have)
		}
	}
}

func TestKernels(t *testing.T) {
	if k := goKernels(); !strings.HasPrefix(k, "simd (avx") && !strings.HasPrefix(k, "portable (") {
		t.Errorf("goKernels() = %q", k)
	}
	if k := Kernels(); !strings.HasPrefix(k, "cutline ") || !strings.Contains(k, "portable; go ") {
		t.Errorf("Kernels() = %q", k)
	}
}

// TestOutputsAreInputs feeds an output back as it is: GoMLX refuses a tensor
// whose backend is not the very one that runs the graph.
func TestOutputsAreInputs(t *testing.T) {
	b := open(t)
	double := graph.MustNewExec(b, func(x *graph.Node) *graph.Node { return graph.Add(x, x) })
	x := call(t, double, []float32{1, 2})[0]
	if owner, err := x.Backend(); err != nil || owner != b {
		t.Fatalf("output is on backend %v, %v, want %v", owner, err, b)
	}
	clone, err := x.OnDeviceClone(b, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []*tensors.Tensor{x, clone} {
		if got := tensors.MustCopyFlatData[float32](call(t, double, in)[0]); got[0] != 4 || got[1] != 8 {
			t.Errorf("doubled twice: %v, want [4 8]", got)
		}
	}
}

func open(t testing.TB) compute.Backend {
	t.Helper()
	b, err := Open("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

// openPlain opens the go backend without the composed ops.
func openPlain(t testing.TB) compute.Backend {
	t.Helper()
	b, err := newGoBackend()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

func call(t testing.TB, exec *graph.Exec, args ...any) []*tensors.Tensor {
	t.Helper()
	out, err := exec.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
