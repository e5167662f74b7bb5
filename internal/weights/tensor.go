package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"sync"
	"unsafe"
)

// DType is the type of a tensor's elements, by its safetensors name.
type DType string

// The element types that both file formats share.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"  // IEEE 754 half
	BF16 DType = "BF16" // the upper half of a float32
	I64  DType = "I64"
	I32  DType = "I32"
	I16  DType = "I16"
	I8   DType = "I8"
	U8   DType = "U8"
	BOOL DType = "BOOL" // one byte, 0 or 1
)

// size returns the bytes of one element, 0 for an unknown type.
func (d DType) size() int {
	switch d {
	case F64, I64:
		return 8
	case F32, I32:
		return 4
	case F16, BF16, I16:
		return 2
	case I8, U8, BOOL:
		return 1
	}
	return 0
}

// Tensor is a named array. Data holds its elements in C order, little-endian,
// and need not be aligned. Where the tensor comes from a File, Data is
// borrowed from the mapping: writing to it crashes, and so does reading it
// after Close.
type Tensor struct {
	Name  string
	DType DType
	Shape []int // none for a scalar
	Data  []byte

	file *File // whose mapping Data may lie in
}

// Float32 returns the elements of a F64, F32, F16 or BF16 tensor as float32:
// F64 is rounded to nearest even, the others are exact. The slice is always a
// fresh copy, so that it may be changed and outlives the File.
func (t Tensor) Float32() ([]float32, error) {
	if err := t.CheckFloats(); err != nil {
		return nil, err
	}
	out := make([]float32, len(t.Data)/t.DType.size())
	t.floats(0, out)
	return out, nil
}

// CheckFloats tells whether [Tensor.floats] can read t.
func (t Tensor) CheckFloats() error {
	if err := t.check(); err != nil {
		return err
	}
	switch t.DType {
	case F64, F32, F16, BF16:
		return nil
	}
	return fmt.Errorf("tensor %.80q: %s elements are not floating point", t.Name, t.DType)
}

// floats converts the elements from one on, as many as out holds.
func (t Tensor) floats(from int, out []float32) {
	data := t.Data[from*t.DType.size():]
	switch t.DType {
	case F64:
		for i := range out {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])))
		}
	case F32:
		if copied(out, data) {
			return
		}
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case F16:
		for i := range out {
			out[i] = HalfToFloat32(binary.LittleEndian.Uint16(data[2*i:]))
		}
	case BF16:
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16)
		}
	}
}

// fill writes all elements as float32s.
func (t Tensor) fill(values []float32) {
	t.eachStretchAtOnce(func(from, to int) { t.floats(from, values[from:to]) })
}

// halves writes all elements of an F16 tensor as they are.
func (t Tensor) halves(values []uint16) {
	t.eachStretchAtOnce(func(from, to int) {
		data := t.Data[2*from : 2*to]
		if copied(values[from:to], data) {
			return
		}
		for i := from; i < to; i++ {
			values[i], data = binary.LittleEndian.Uint16(data), data[2:]
		}
	})
}

// copied copies the values of a file as they are, or returns false on a machine that has
// their bytes in another order.
func copied[T uint16 | float32](values []T, data []byte) bool {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return false
	}
	if len(values) > 0 {
		bytes := len(values) * int(unsafe.Sizeof(values[0]))
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), bytes), data[:bytes])
	}
	return true
}

// stretch is how many elements are converted before their pages are given back.
const stretch = 1 << 20

// eachStretch calls f with stretches of the elements, and gives back what they took
// of the mapping: memory holds the file or what is made of it, but not both.
func (t Tensor) eachStretch(f func(from, to int)) { t.stretches(0, len(t.Data)/t.DType.size(), f) }

// eachStretchAtOnce is eachStretch on all processors: of what a page takes that is touched
// for the first time, the most is not done by memory.
func (t Tensor) eachStretchAtOnce(f func(from, to int)) {
	const worthwhile = 1 << 18
	count := len(t.Data) / t.DType.size()
	n := min(runtime.GOMAXPROCS(0), count/worthwhile+1)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { t.stretches(count*i/n, count*(i+1)/n, f) })
	}
	all.Wait()
}

// stretches is eachStretch for a range of the elements.
func (t Tensor) stretches(from, end int, f func(from, to int)) {
	for size := t.DType.size(); from < end; from += stretch {
		to := min(from+stretch, end)
		if data := t.Data[from*size : to*size]; t.file != nil && within(t.Data, t.file.mapping) {
			expect(data)
		}
		f(from, to)
		t.release(from*size, to*size)
	}
}

// release tells the system that bytes of a mapped file are not needed for now. It asks
// where they lie, because whoever has a tensor may give it other bytes.
func (t Tensor) release(from, to int) {
	if t.file != nil && within(t.Data, t.file.mapping) {
		forget(t.Data[from:to])
	}
}

// Int64 returns the elements of an integer or BOOL tensor as a fresh slice.
func (t Tensor) Int64() ([]int64, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	out := make([]int64, len(t.Data)/t.DType.size())
	for i := range out {
		switch t.DType {
		case I64:
			out[i] = int64(binary.LittleEndian.Uint64(t.Data[8*i:]))
		case I32:
			out[i] = int64(int32(binary.LittleEndian.Uint32(t.Data[4*i:])))
		case I16:
			out[i] = int64(int16(binary.LittleEndian.Uint16(t.Data[2*i:])))
		case I8:
			out[i] = int64(int8(t.Data[i]))
		case U8, BOOL:
			out[i] = int64(t.Data[i])
		default:
			return nil, fmt.Errorf("tensor %.80q: %s elements are not integers", t.Name, t.DType)
		}
	}
	return out, nil
}

// FromFloat32 returns a tensor of type F32, F16 or BF16 that holds values, of
// which there must be as many as shape says; the narrow types are rounded to
// nearest even.
func FromFloat32(name string, dtype DType, shape []int, values []float32) (Tensor, error) {
	data, err := appendFloats(make([]byte, 0, len(values)*dtype.size()), dtype, values)
	if err != nil {
		return Tensor{}, fmt.Errorf("tensor %.80q: %w", name, err)
	}
	t := Tensor{Name: name, DType: dtype, Shape: shape, Data: data}
	return t, t.check()
}

func appendFloats(data []byte, dtype DType, values []float32) ([]byte, error) {
	for _, v := range values {
		switch dtype {
		case F32:
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		case F16:
			data = binary.LittleEndian.AppendUint16(data, Float32ToHalf(v))
		case BF16:
			data = binary.LittleEndian.AppendUint16(data, float32ToBrain(v))
		default:
			return nil, fmt.Errorf("cannot write float32 values as %s", dtype)
		}
	}
	return data, nil
}

// check tells whether the bytes are as many as shape and type say.
func (t Tensor) check() error {
	want, err := byteSize(t.Shape, t.DType)
	if err == nil && want != len(t.Data) {
		err = fmt.Errorf("%d bytes, but shape %v of %s takes %d", len(t.Data), t.Shape, t.DType, want)
	}
	if err != nil {
		return fmt.Errorf("tensor %.80q: %w", t.Name, err)
	}
	return nil
}

// maxRank is twice what any network here needs. It keeps a file from turning
// two bytes of text into eight of shape for ever.
const maxRank = 8

// byteSize returns the bytes that a tensor takes.
func byteSize(shape []int, dtype DType) (int, error) {
	if len(shape) > maxRank {
		return 0, fmt.Errorf("%d dimensions, more than %d", len(shape), maxRank)
	}
	n, empty := dtype.size(), false
	if n == 0 {
		return 0, fmt.Errorf("unknown element type %.20q", dtype)
	}
	for _, d := range shape {
		switch {
		case d < 0:
			return 0, fmt.Errorf("negative dimension in shape %v", shape)
		case d == 0:
			empty = true
		case n > math.MaxInt/d:
			// Also where another dimension is zero: whoever multiplies
			// [huge, huge, 0] from the left has overflowed by then.
			return 0, fmt.Errorf("the size of shape %v overflows", shape)
		default:
			n *= d
		}
	}
	if empty {
		return 0, nil
	}
	return n, nil
}
