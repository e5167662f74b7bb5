package weights

import (
	"math"
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
