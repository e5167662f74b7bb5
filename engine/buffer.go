package engine

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/cutline-go/cutline/engine/internal/kernels"
)

// Buffer holds a tensor. Its values never change while it lives, so a matrix
// keeps its packed copy, which all graphs share; where no graph has read it
// otherwise, the packed copy is the only one.
type Buffer struct {
	backend *Backend
	shape   shapes.Shape

	mu      sync.Mutex
	bytes   []byte   // nil once finalized, and while packed is the only copy
	pages   []*pages // in which bytes and packed copies lie, those that are not on the heap
	half    bool     // bytes are halves, though the shape is of float32s
	packed  map[layout]packedCopy
	only    layout // of the packed copy that the values are in, if dropped
	dropped bool
	kept    bool // the values were wanted again, so they stay
	lent    bool // somebody may hold bytes

	users atomic.Int32 // executions and copies that may hold memory of the buffer
}

var _ compute.Buffer = (*Buffer)(nil)

var errFinalized = errors.New("engine: the buffer has been finalized")

// BufferFromFlatData copies flat, a slice of the shape's type and size.
func (b *Backend) BufferFromFlatData(_ compute.DeviceNum, flat any, shape shapes.Shape) (compute.Buffer, error) {
	if shape.IsDynamic() {
		return nil, fmt.Errorf("engine: a buffer of the dynamic shape %s", shape)
	}
	from, err := checked(flat, shape)
	if err != nil {
		return nil, err
	}
	const few = 1 << 16 // so many bytes may lie in a little more, to be used again
	buffer := &Buffer{backend: b, shape: shape.Clone()}
	if len(from) <= few {
		buffer.bytes = b.memory.take(len(from))
	} else {
		buffer.bytes = alignedBytes(len(from))
	}
	copy(buffer.bytes, from)
	return buffer, nil
}

// FilledBuffer makes a buffer of float32s, which fill writes: the values of a file, say,
// are in memory but once.
func (b *Backend) FilledBuffer(shape shapes.Shape, fill func(flat []float32)) (compute.Buffer, error) {
	if shape.DType != dtypes.Float32 || shape.IsDynamic() {
		return nil, fmt.Errorf("engine: a buffer of shape %s filled with float32s", shape)
	}
	buffer := &Buffer{backend: b, shape: shape.Clone()}
	buffer.bytes = buffer.reserve(bytesOf(shape) + 4*roomToPack(shape))[:bytesOf(shape)]
	fill(floatsOf(buffer.bytes))
	return buffer, nil
}

// HalfBuffer makes a buffer of float32s that are all IEEE 754 halves, which fill writes as
// such: products and look-ups read them so, and everything else has them widened.
func (b *Backend) HalfBuffer(shape shapes.Shape, fill func(flat []uint16)) (compute.Buffer, error) {
	if shape.DType != dtypes.Float32 || shape.IsDynamic() {
		return nil, fmt.Errorf("engine: a buffer of shape %s filled with halves", shape)
	}
	n := shape.Size()
	buffer := &Buffer{backend: b, shape: shape.Clone(), half: true}
	buffer.bytes = buffer.reserve(2 * (n + roomToPack(shape)))[:2*n]
	fill(valuesOf[uint16](buffer.bytes))
	return buffer, nil
}

// roomToPack is how many values more a transposed matrix takes once it is packed.
func roomToPack(shape shapes.Shape) int {
	if shape.Rank() < 2 || shape.Size() == 0 {
		return 0
	}
	n := shape.Dimensions[0]
	return kernels.PackedLen(shape.Size()/n, n) - shape.Size()
}

// checked returns the bytes of flat, which must hold just what shape says.
func checked(flat any, shape shapes.Shape) ([]byte, error) {
	if t := reflect.TypeOf(flat); t == nil || t.Kind() != reflect.Slice || dtypes.FromGoType(t.Elem()) != shape.DType && !shape.DType.IsPacked() {
		return nil, fmt.Errorf("engine: %T for a tensor of shape %s", flat, shape)
	}
	if n := reflect.ValueOf(flat).Len(); n == 0 {
		if shape.Size() == 0 {
			return nil, nil
		}
		return nil, fmt.Errorf("engine: no values for shape %s", shape)
	}
	bytes := dtypes.UnsafeByteSliceFromAny(flat)
	if len(bytes) != bytesOf(shape) {
		return nil, fmt.Errorf("engine: %d bytes for shape %s", len(bytes), shape)
	}
	return bytes, nil
}

func bytesOf(shape shapes.Shape) int { return shape.DType.SizeForDimensions(shape.Dimensions...) }

func elemType(flat any) reflect.Type {
	if t := reflect.TypeOf(flat); t != nil && t.Kind() == reflect.Slice {
		return t.Elem()
	}
	return reflect.TypeFor[struct{}]()
}

func lengthOf(flat any) int { return reflect.ValueOf(flat).Len() }

// Backend returns the engine.
func (b *Buffer) Backend() compute.Backend { return b.backend }

// Finalize gives the memory back.
func (b *Buffer) Finalize() error {
	b.release(0)
	return nil
}

// release finalizes the buffer, which so many of its users have done with. Its memory goes
// back at once where there is no other user, and else when nothing refers to it.
func (b *Buffer) release(done int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.users.Load() <= done {
		if b.bytes != nil {
			b.giveBack(b.bytes)
		}
		b.returnPages()
	}
	b.bytes, b.packed, b.dropped, b.pages = nil, nil, false, nil
}

func (b *Buffer) returnPages() {
	for _, p := range b.pages {
		b.backend.memory.givePages(p)
	}
}

// finalized tells whether the tensor is gone.
func (b *Buffer) finalized() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes == nil && !b.dropped
}

// Shape returns the shape.
func (b *Buffer) Shape() (shapes.Shape, error) {
	if b.finalized() {
		return shapes.Invalid(), errFinalized
	}
	return b.shape, nil
}

// DeviceNum returns 0, the only device.
func (b *Buffer) DeviceNum() (compute.DeviceNum, error) { return 0, nil }

// ToFlatData copies the values to flat, a slice of the buffer's type and size.
func (b *Buffer) ToFlatData(flat any) error {
	to, err := checked(flat, b.shape)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	from, err := b.restored()
	if err != nil {
		return err
	}
	b.write(to, from)
	return nil
}

// Data is refused, as buffers are not shared.
func (b *Buffer) Data() (any, error) {
	return nil, fmt.Errorf("engine: shared buffers: %w", compute.ErrNotImplemented)
}

// CopyToDevice copies the buffer.
func (b *Buffer) CopyToDevice(compute.DeviceNum) (compute.Buffer, error) {
	b.users.Add(1)
	defer b.users.Add(-1)
	from, err := b.values()
	if err != nil {
		return nil, err
	}
	c := &Buffer{backend: b.backend, shape: b.shape, bytes: b.backend.memory.take(len(from))}
	copy(c.bytes, from)
	return c, nil
}

// write copies the values from, as they are stored, to to, as the shape has them.
func (b *Buffer) write(to, from []byte) {
	if b.half {
		b.backend.kernels.Widen(floatsOf(to), valuesOf[uint16](from))
	} else {
		copy(to, from)
	}
}

// surrender finalizes the buffer without giving up the memory of its values, which has a new
// owner, and returns the pages that it lies in, if it does in some. One user has done with it.
func (b *Buffer) surrender() (kept []*pages) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := b.pageOf(b.bytes); i >= 0 {
		kept, b.pages = []*pages{b.pages[i]}, slices.Delete(b.pages, i, i+1)
	}
	if b.users.Load() <= 1 {
		b.returnPages()
	}
	b.bytes, b.packed, b.pages = nil, nil, nil
	return kept
}
