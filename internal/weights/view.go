package weights

import (
	"errors"
	"fmt"
	"math"

	"github.com/cutline-go/cutline/internal/pickle"
)

// view is a torch tensor: elements of a storage, found by strides.
type view struct {
	storage      *storage
	offset       int   // elements before the first
	size, stride []int // per dimension, stride in elements
}

// Kind names a view in errors.
func (*view) Kind() string { return "a tensor" }

// tensor finds the bytes of a view. Views in C order share the file's bytes;
// others, such as saved transposes, are copied into it.
func (v *view) tensor(name string, b *pickle.Budget) (Tensor, error) {
	if v.storage == nil {
		return Tensor{}, errors.New("an array without its elements")
	}
	item := v.storage.dtype.size()
	bytes, err := byteSize(v.size, v.storage.dtype)
	if err != nil {
		return Tensor{}, err
	}
	data, err := v.storage.bytes()
	if err != nil {
		return Tensor{}, err
	}
	if err := v.checkBounds(); err != nil {
		return Tensor{}, err
	}
	t := Tensor{Name: name, DType: v.storage.dtype, Shape: v.size}
	if bytes == 0 || v.contiguous() {
		begin := v.offset * item
		t.Data = data[begin : begin+bytes : begin+bytes]
		return t, nil
	}
	if err := b.Take(bytes); err != nil {
		return Tensor{}, err
	}
	t.Data = v.gather(make([]byte, 0, bytes), data, item)
	return t, nil
}

// checkBounds checks that the last element lies in the storage.
func (v *view) checkBounds() error {
	last := v.offset
	for i, n := range v.size {
		if n == 0 {
			last = v.offset - 1 // nothing is read, at any offset up to the end
			break
		}
		if v.stride[i] > 0 && n-1 > (math.MaxInt-last)/v.stride[i] {
			return fmt.Errorf("size %v with strides %v overflows", v.size, v.stride)
		}
		last += (n - 1) * v.stride[i]
	}
	if last >= v.storage.count {
		return fmt.Errorf("size %v with strides %v at offset %d leaves a storage of %d elements", v.size, v.stride, v.offset, v.storage.count)
	}
	return nil
}

// contiguous tells whether the elements lie in C order without gaps.
func (v *view) contiguous() bool {
	step := 1
	for i := len(v.size) - 1; i >= 0; i-- {
		if v.size[i] == 1 {
			continue // its stride is never used
		}
		if v.stride[i] != step {
			return false
		}
		step *= v.size[i]
	}
	return true
}

// gather appends the elements, of which there is at least one, to out in C
// order. Bounds have been checked.
func (v *view) gather(out, data []byte, item int) []byte {
	index := make([]int, len(v.size))
	at := v.offset
	for {
		out = append(out, data[at*item:(at+1)*item]...)
		d := len(index) - 1
		for ; d >= 0; d-- { // count up, like an odometer
			at += v.stride[d]
			if index[d]++; index[d] < v.size[d] {
				break
			}
			at -= index[d] * v.stride[d]
			index[d] = 0
		}
		if d < 0 {
			return out
		}
	}
}
