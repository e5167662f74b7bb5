package weights

import (
	"fmt"
	"math"
)

// Cast returns tensors with elements of type dtype, F32, F16 or BF16. A value that
// is no number, or that is too large for dtype, is an error. Tensors that have the
// type already keep their bytes.
func Cast(tensors []Tensor, dtype DType) ([]Tensor, error) {
	out := make([]Tensor, len(tensors))
	for i, t := range tensors {
		values, err := t.Float32()
		if err != nil {
			return nil, err
		}
		if t.DType != dtype {
			if t, err = FromFloat32(t.Name, dtype, t.Shape, values); err != nil {
				return nil, err
			}
			if values, err = t.Float32(); err != nil {
				return nil, err
			}
		}
		for at, v := range values {
			if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
				return nil, fmt.Errorf("tensor %.80q: value %d is %g as %s", t.Name, at, v, dtype)
			}
		}
		out[i] = t
	}
	return out, nil
}
