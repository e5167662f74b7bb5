package weights

import (
	"errors"
	"fmt"
)

// numpyClass returns what numpy's names stand for. An array is made empty and told
// its contents by BUILD; numbers that a script took from arrays are scalars.
// Source: numpy/core/src/multiarray/methods.c, array_reduce and array_setstate.
func numpyClass(full string, b *budget) (any, bool) {
	switch full {
	case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct":
		return reducer(func(tuple) (any, error) { return &view{}, nil }), true
	case "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer":
		return reducer(fromBuffer), true
	case "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar":
		return reducer(numpyScalar), true
	case "numpy.dtype":
		return reducer(newNumpyType), true
	case "numpy.ndarray":
		return objectClass("ndarray"), true // an argument of _reconstruct
	case "_codecs.encode":
		return reducer(func(args tuple) (any, error) { return encodeLatin1(args, b) }), true
	}
	return nil, false
}

// numpyType is the type of an array's elements.
type numpyType struct{ dtype DType }

var numpyTypes = map[string]DType{
	"f8": F64, "f4": F32, "f2": F16, "i8": I64, "i4": I32, "i2": I16, "i1": I8, "u1": U8, "b1": BOOL,
}

func newNumpyType(args tuple) (any, error) {
	if len(args) > 0 {
		if name, ok := args[0].(string); ok && numpyTypes[name] != "" {
			return &numpyType{numpyTypes[name]}, nil
		}
	}
	return nil, errors.New("a numpy type that is no plain number")
}

// build takes (version, order of bytes, …).
func (*numpyType) build(state any) error {
	fields, ok := state.(tuple)
	if !ok || len(fields) < 2 {
		return errors.New("a numpy type without its order of bytes")
	}
	if order := fields[1]; order != "<" && order != "|" && order != "=" {
		return errors.New("a numpy type that is not little-endian")
	}
	return nil
}

// build takes (version, shape, type, is Fortran's order, elements) of an array.
func (v *view) build(state any) error {
	fields, ok := state.(tuple)
	if !ok || len(fields) != 5 || v.storage != nil {
		return errors.New("attributes set on a tensor")
	}
	shape, ok1 := fields[1].(tuple)
	class, ok2 := fields[2].(*numpyType)
	fortran, ok3 := fields[3].(bool)
	data, ok4 := fields[4].(blob)
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
	size, err := byteSize(v.size, class.dtype)
	if err != nil {
		return err
	}
	if size != len(data) {
		return fmt.Errorf("a numpy array of %d bytes, but shape %v of %s takes %d", len(data), v.size, class.dtype, size)
	}
	v.setStrides(fortran)
	v.storage = &storage{dtype: class.dtype, count: len(data) / class.dtype.size(), data: data}
	return nil
}

// fromBuffer returns the array of (bytes, type, shape, order), protocol 5's way.
func fromBuffer(args tuple) (any, error) {
	if len(args) != 4 {
		return nil, errors.New("_frombuffer with wrong arguments")
	}
	v := &view{}
	return v, v.build(tuple{nil, args[2], args[1], args[3] == "F", args[0]})
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
func numpyScalar(args tuple) (any, error) {
	if len(args) == 2 {
		class, ok1 := args[0].(*numpyType)
		data, ok2 := args[1].(blob)
		if ok1 && ok2 && len(data) == class.dtype.size() {
			return scalarValue(Tensor{DType: class.dtype, Data: data})
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

// encodeLatin1 is how Python writes bytes in protocol 2: as a text whose characters
// are the bytes.
func encodeLatin1(args tuple, b *budget) (any, error) {
	if len(args) == 2 && args[1] == "latin1" {
		if text, ok := args[0].(string); ok {
			if err := b.take(len(text) + len(text)/8); err != nil {
				return nil, err
			}
			out := make(blob, 0, len(text))
			for _, r := range text {
				if r > 0xff {
					return nil, errors.New("bytes that are not latin1")
				}
				out = append(out, byte(r))
			}
			return out, nil
		}
	}
	return nil, errors.New("_codecs.encode of something else than bytes")
}
