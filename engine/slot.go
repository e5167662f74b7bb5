package engine

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
)

// kind tells where the memory of a slot comes from.
type kind int

const (
	temporary kind = iota // the arena of an execution
	parameter             // a buffer that the caller gives
	constant              // computed once, when the graph is compiled
	output                // memory that the result keeps
	adopted               // a donated parameter's memory, or a copy of the parameter
)

// slot is a piece of memory that instructions write and read.
type slot struct {
	index int
	kind  kind
	bytes int

	parameter   int  // of a parameter or an adopted slot
	copied      bool // an adopted slot begins as the parameter's values
	from, until int  // instructions between which a temporary one is in use
	offset      int  // of a temporary one in the arena
	fixed       []byte
	pieces      bool // several instructions write it, so that none may run ahead
	returned    bool // it is a result
}

// view is a tensor in a slot: the element at (i, j, …) lies offset + i·strides[0]
// + j·strides[1] + … elements from the slot's beginning. A stride of 0 repeats.
type view struct {
	slot    *slot
	dtype   dtypes.DType
	dims    []int
	strides []int
	offset  int
}

func (v view) size() int { return product(v.dims) }

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// rowMajor are the strides of a tensor without gaps.
func rowMajor(dims []int) []int {
	strides := make([]int, len(dims))
	n := 1
	for i := len(dims) - 1; i >= 0; i-- {
		strides[i] = n
		n *= dims[i]
	}
	return strides
}

// isDense tells whether the elements lie in order, without gaps.
func (v view) isDense() bool {
	n := 1
	for i := len(v.dims) - 1; i >= 0; i-- {
		if v.dims[i] != 1 && v.strides[i] != n {
			return false
		}
		n *= v.dims[i]
	}
	return true
}

// isWhole tells whether the view is dense and all of its slot.
func (v view) isWhole() bool {
	return v.offset == 0 && v.isDense() && v.dtype.SizeForDimensions(v.dims...) == v.slot.bytes
}

// isPermuted tells whether the view is all of its slot, each element once, in any order
// of the axes.
func (v view) isPermuted() bool {
	order := make([]int, len(v.dims))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return v.strides[j] - v.strides[i] })
	return v.transposed(order).isWhole()
}

// transposed is the view with its axes in another order, or with some of them: the others
// stay at their first elements.
func (v view) transposed(axes []int) view {
	w := v
	w.dims, w.strides = make([]int, len(axes)), make([]int, len(axes))
	for i, axis := range axes {
		w.dims[i], w.strides[i] = v.dims[axis], v.strides[axis]
	}
	return w
}

// broadcast repeats the view to dims, axis i of the view becoming axis axes[i].
func (v view) broadcast(dims, axes []int) view {
	w := v
	w.dims, w.strides = slices.Clone(dims), make([]int, len(dims))
	for i, axis := range axes {
		if v.dims[i] == dims[axis] {
			w.strides[axis] = v.strides[i]
		}
	}
	return w
}

// like repeats a scalar, or axes of length 1, to dims.
func (v view) like(dims []int) view {
	if len(v.dims) == 0 {
		return v.broadcast(dims, nil)
	}
	axes := make([]int, len(dims))
	for i := range axes {
		axes[i] = i
	}
	return v.broadcast(dims, axes)
}

// sliced cuts [starts, limits) with steps out of the view.
func (v view) sliced(starts, dims, steps []int) view {
	w := v
	w.dims, w.strides = slices.Clone(dims), slices.Clone(v.strides)
	for i, start := range starts {
		w.offset += start * v.strides[i]
		if steps != nil {
			w.strides[i] *= steps[i]
		}
	}
	return w
}

// reshaped gives the view other dims without moving elements, if that can be.
func (v view) reshaped(dims []int) (view, bool) {
	w := v
	w.dims, w.strides = slices.Clone(dims), make([]int, len(dims))
	if v.size() == 0 {
		return w, true
	}
	from, to := compact(v.dims, v.strides), 0
	for _, group := range from {
		// The new axes that share this old axis, from the first to the last.
		n, begin := 1, to
		for to < len(dims) && n < group.dim {
			n *= dims[to]
			to++
		}
		if n != group.dim {
			return w, false
		}
		stride := group.stride
		for i := to - 1; i >= begin; i-- {
			w.strides[i] = stride
			stride *= dims[i]
		}
	}
	for ; to < len(dims); to++ {
		if dims[to] != 1 {
			return w, false
		}
		w.strides[to] = 1
	}
	return w, true
}

type axis struct{ dim, stride int }

// compact joins neighbouring axes that one stride runs through, and drops those
// of length 1.
func compact(dims, strides []int) []axis {
	var axes []axis
	for i, d := range dims {
		if d == 1 {
			continue
		}
		if n := len(axes); n > 0 && axes[n-1].stride == d*strides[i] {
			axes[n-1] = axis{axes[n-1].dim * d, strides[i]}
			continue
		}
		axes = append(axes, axis{d, strides[i]})
	}
	return axes
}
