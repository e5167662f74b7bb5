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
		var err error
		if out[i], err = t.cast(dtype); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (t Tensor) cast(dtype DType) (Tensor, error) {
	if err := t.CheckFloats(); err != nil {
		return Tensor{}, err
	}
	out := t
	if t.DType != dtype {
		out = Tensor{Name: t.Name, DType: dtype, Shape: t.Shape, Data: make([]byte, 0, len(t.Data)/t.DType.size()*dtype.size())}
	}
	values := make([]float32, min(stretch, len(t.Data)/t.DType.size()))
	var err error
	t.eachStretch(func(from, to int) {
		if err != nil {
			return
		}
		some := values[:to-from]
		t.floats(from, some)
		if t.DType != dtype {
			if out.Data, err = appendFloats(out.Data, dtype, some); err != nil {
				err = fmt.Errorf("tensor %.80q: %w", t.Name, err)
				return
			}
			out.floats(from, some)
		}
		err = finite(out, from, some)
	})
	return out, err
}

// finite tells of a value, of those from one on, that is no number.
func finite(t Tensor, from int, values []float32) error {
	for i, v := range values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("tensor %.80q: value %d is %g as %s", t.Name, from+i, v, t.DType)
		}
	}
	return nil
}
