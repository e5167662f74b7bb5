package weights

import (
	"errors"
	"fmt"

	"github.com/cutline-go/cutline/internal/pickle"
)

// numpyClass returns what numpy's names stand for. An array is made empty and told
// its contents by BUILD; numbers that a script took from arrays are scalars.
// Source: numpy/core/src/multiarray/methods.c, array_reduce and array_setstate.
func (r torchResolver) numpyClass(full string) (any, bool) {
	switch full {
	case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct":
		return pickle.Function(func(pickle.Tuple) (any, error) { return &view{}, nil }), true
	case "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer":
		return pickle.Function(fromBuffer), true
	case "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar":
		return pickle.Function(numpyScalar), true
	case "numpy.ndarray":
		return pickle.Class("ndarray"), true // an argument of _reconstruct
	}
	return r.NumPy(full)
}

var numpyTypes = map[string]DType{
	"f8": F64, "f4": F32, "f2": F16, "i8": I64, "i4": I32, "i2": I16, "i1": I8, "u1": U8, "b1": BOOL,
}

// Build takes (version, shape, type, is Fortran's order, elements) of an array.
func (v *view) Build(state any) error {
	fields, ok := state.(pickle.Tuple)
	if !ok || len(fields) != 5 || v.storage != nil {
		return errors.New("attributes set on a tensor")
	}
	shape, ok1 := fields[1].(pickle.Tuple)
	class, ok2 := fields[2].(*pickle.NumPyType)
	fortran, ok3 := fields[3].(bool)
	data, ok4 := fields[4].(pickle.Bytes)
	if !ok1 || !ok2 || !ok3 || !ok4 || len(shape) > maxRank {
		return errors.New("a numpy array without shape, type, order or bytes")
	}
	v.size, v.stride = make([]int, len(shape)), make([]int, len(shape))
	for i, n := range shape {
		var err error
		if v.size[i], err = toInt(n); err != nil {
			return err
		}
	}
	dtype := numpyTypes[class.Code]
	size, err := byteSize(v.size, dtype)
	if err != nil {
		return err
	}
	if size != len(data) {
		return fmt.Errorf("a numpy array of %d bytes, but shape %v of %s takes %d", len(data), v.size, dtype, size)
	}
	v.setStrides(fortran)
	v.storage = &storage{dtype: dtype, count: len(data) / dtype.size(), data: data}
	return nil
}

// fromBuffer returns the array of (bytes, type, shape, order), protocol 5's way.
func fromBuffer(args pickle.Tuple) (any, error) {
	if len(args) != 4 {
		return nil, errors.New("_frombuffer with wrong arguments")
	}
	v := &view{}
	return v, v.Build(pickle.Tuple{nil, args[2], args[1], args[3] == "F", args[0]})
}

// setStrides lays the elements out without gaps, the last axis fastest, or the first.
func (v *view) setStrides(fortran bool) {
	step := 1
	for i := range v.size {
		axis := len(v.size) - 1 - i
		if fortran {
			axis = i
		}
		v.stride[axis] = step
		step *= max(v.size[axis], 1)
	}
}

// numpyScalar returns the number in (type, bytes).
func numpyScalar(args pickle.Tuple) (any, error) {
	if len(args) == 2 {
		class, ok1 := args[0].(*pickle.NumPyType)
		data, ok2 := args[1].(pickle.Bytes)
		if ok1 && ok2 && len(data) == numpyTypes[class.Code].size() {
			return scalarValue(Tensor{DType: numpyTypes[class.Code], Data: data})
		}
	}
	return nil, errors.New("a numpy scalar without type or bytes")
}

// scalarValue returns the value of a scalar as a pickle holds it.
func scalarValue(t Tensor) (any, error) {
	if whole, err := t.Int64(); err == nil {
		return whole[0], nil
	}
	values, err := t.Float32()
	if err != nil {
		return nil, err
	}
	return float64(values[0]), nil
}
