package weights

import (
	"bytes"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCast(t *testing.T) {
	for _, test := range []struct {
		name  string
		dtype DType
		value float32
		want  float32
		err   string
	}{
		{"kept", F32, 0.1, 0.1, ""},
		{"rounded", F16, 0.1, 0.0999755859375, ""},
		{"largest half", F16, 65504, 65504, ""},
		{"over the largest half", F16, 65520, 0, "is +Inf as F16"},
		{"brain has the range", BF16, 1 << 20, 1 << 20, ""},
		{"no number", F32, float32(math.NaN()), 0, "is NaN as F32"},
		{"infinite", F16, float32(math.Inf(-1)), 0, "is -Inf as F16"},
		{"no float", I8, 1, 0, "cannot write"},
	} {
		source, err := FromFloat32("a", F32, []int{1}, []float32{test.value})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Cast([]Tensor{source}, test.dtype)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error is %v, want %q", test.name, err, test.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		values, err := got[0].Float32()
		if err != nil || got[0].DType != test.dtype || values[0] != test.want {
			t.Errorf("%s: %v as %s, %v, want %v", test.name, values, got[0].DType, err, test.want)
		}
	}
}

// TestForget reads a mapped tensor again whose pages were given back, and holds that
// other bytes in its place are left alone.
func TestForget(t *testing.T) {
	values := make([]float32, 3*stretch/2)
	for i := range values {
		values[i] = float32(i % 1000)
	}
	tensor, err := FromFloat32("a", F32, []int{len(values)}, values)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.safetensors")
	if err := WriteSafetensors(path, []Tensor{tensor}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mapped, _ := f.Tensor("a")
	replaced := mapped
	replaced.Data = bytes.Clone(mapped.Data)
	for _, x := range []Tensor{mapped, replaced} {
		if _, err := Cast([]Tensor{x}, F32); err != nil {
			t.Fatal(err)
		}
		if got, err := x.Float32(); err != nil || !slices.Equal(got, values) {
			t.Errorf("other values after they were given back: %v", err)
		}
	}
}
