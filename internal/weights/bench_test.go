package weights

import (
	"fmt"
	"path/filepath"
	"testing"
)

// BenchmarkFloat32 opens a file of 500 MB and converts all of it, as loading
// a model does.
func BenchmarkFloat32(b *testing.B) {
	for _, dtype := range []DType{F16, BF16, F32} {
		b.Run(string(dtype), func(b *testing.B) {
			const count = 10
			each := 500_000_000 / count / dtype.size()
			values := make([]float32, each)
			for i := range values {
				values[i] = float32(i%2000-1000) / 512
			}
			var tensors []Tensor
			for i := range count {
				tensor, err := FromFloat32(fmt.Sprint(i), dtype, []int{each}, values)
				if err != nil {
					b.Fatal(err)
				}
				tensors = append(tensors, tensor)
			}
			path := filepath.Join(b.TempDir(), "model.safetensors")
			if err := WriteSafetensors(path, tensors, nil); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(500_000_000)
			for b.Loop() {
				f, err := Open(path)
				if err != nil {
					b.Fatal(err)
				}
				for _, name := range f.Names() {
					tensor, _ := f.Tensor(name)
					if _, err := tensor.Float32(); err != nil {
						b.Fatal(err)
					}
				}
				if err := f.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
