package engine

import (
	"math"
	"math/bits"
	"sync"
	"unsafe"
)

// memory keeps what finalized buffers and ended executions give back, by size, so
// that a graph that runs again allocates nothing.
type memory struct {
	mu    sync.Mutex
	pools map[int]*sync.Pool // of *byte, by capacity
	spare []*pages
	keep  int // bytes that spare pages may have

	region *region // that pages are cut from
	rest   []byte  // of it
}

// keeps is how much is kept. While a model is loaded, one matrix after another is packed, a
// few sizes in turn. While it is trained, all are packed anew for each update.
func keeps(training bool) int {
	if training {
		return math.MaxInt
	}
	return 32 << 20
}

// take returns n bytes with any content, aligned for every data type.
func (m *memory) take(n int) []byte {
	size := roomy(n)
	if p, _ := m.pool(size).Get().(*byte); p != nil {
		return unsafe.Slice(p, size)[:n]
	}
	return alignedBytes(size)[:n]
}

func (m *memory) give(b []byte) {
	if size := cap(b); size > 0 && size == roomy(size) {
		m.pool(size).Put(unsafe.SliceData(b))
	}
}

func (m *memory) pool(size int) *sync.Pool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pools == nil {
		m.pools = map[int]*sync.Pool{}
	}
	p := m.pools[size]
	if p == nil {
		p = new(sync.Pool)
		m.pools[size] = p
	}
	return p
}

// roomy rounds up to one of eight sizes for each power of two.
func roomy(n int) int {
	step := 1 << max(6, bits.Len(uint(n))-4)
	return (n + step - 1) / step * step
}

// alignedBytes is memory of Go's heap, in large pages where there is so much of it. It is
// never nil, so that an empty tensor is told from a finalized one.
func alignedBytes(n int) []byte {
	words := make([]uint64, n/8+1)
	if n >= large {
		adviseLarge(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), n))
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)[:n:n]
}

// floatsOf is memory as float32s.
func floatsOf(b []byte) []float32 { return valuesOf[float32](b) }

// valuesOf is memory as values of a type.
func valuesOf[T any](b []byte) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/sizeOf[T]())
}

// sizeOf is the bytes of a value.
func sizeOf[T any]() int {
	var zero T
	return int(unsafe.Sizeof(zero))
}
