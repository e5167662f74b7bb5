package golden

import (
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/cutline-go/cutline/internal/weights"
)

// Floats returns the values of a floating-point tensor of f.
func Floats(t testing.TB, f *weights.File, name string) []float32 {
	t.Helper()
	values, err := tensor(t, f, name).Float32()
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// Input returns a tensor of f as an input of a graph: float32, or int32 for ids.
func Input(t testing.TB, f *weights.File, name string) *tensors.Tensor {
	t.Helper()
	source := tensor(t, f, name)
	if source.DType != weights.I64 {
		return tensors.FromFlatDataAndDimensions(Floats(t, f, name), source.Shape...)
	}
	values, err := source.Int64()
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]int32, len(values))
	for i, v := range values {
		ids[i] = int32(v)
	}
	return tensors.FromFlatDataAndDimensions(ids, source.Shape...)
}

// Values returns the elements of a float32 result.
func Values(t testing.TB, result *tensors.Tensor) []float32 {
	t.Helper()
	values, err := tensors.CopyFlatData[float32](result)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func tensor(t testing.TB, f *weights.File, name string) weights.Tensor {
	t.Helper()
	source, ok := f.Tensor(name)
	if !ok {
		t.Fatalf("no tensor %s among %v", name, f.Names())
	}
	return source
}
