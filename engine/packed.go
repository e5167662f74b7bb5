package engine

import (
	"github.com/cutline-go/cutline/engine/internal/kernels"
)

// layout tells how a matrix [k, n] lies in a buffer, or in a dense copy of the
// view of it that source describes.
type layout struct {
	source       string
	offset, k, n int
	row, col     int
}

// values returns the tensor's memory, of what its shape says.
func (b *Buffer) values() ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	stored, err := b.restored()
	if err == nil && b.half {
		b.bytes = b.backend.memory.take(bytesOf(b.shape))
		b.write(b.bytes, stored)
		if b.half = false; !b.lent {
			b.backend.memory.give(stored)
		}
	}
	b.lent = true
	return b.bytes, err
}

// stored returns the tensor's memory, and whether it holds halves.
func (b *Buffer) stored() (bytes []byte, half bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lent = true
	bytes, err = b.restored()
	return bytes, b.half, err
}

// restored is stored for a caller that holds the lock.
func (b *Buffer) restored() ([]byte, error) {
	if b.dropped {
		packed := b.packed[b.only]
		if b.half = packed.Halves != nil; b.half {
			b.bytes = unpack(packed.Halves, b.only)
		} else {
			b.bytes = unpack(packed.Floats, b.only)
		}
		b.dropped, b.kept = false, true
	}
	if b.bytes == nil {
		return nil, errFinalized
	}
	return b.bytes, nil
}

// unpack returns the values of a packed matrix where layout says they lie.
func unpack[T float32 | uint16](packed []T, l layout) []byte {
	bytes := alignedBytes(sizeOf[T]() * l.k * l.n)
	to, column := valuesOf[T](bytes), make([]T, l.k)
	for j := range l.n {
		kernels.UnpackColumn(column, packed, l.k, j)
		for i, v := range column {
			to[l.offset+i*l.row+j*l.col] = v
		}
	}
	return bytes
}

// drop leaves the packed copy as the only one, where it holds all values and
// nothing else has asked for them.
func (b *Buffer) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lockedDrop()
}

// lockedDrop is drop for a caller that holds the lock. Other matrices are packed into
// what it gives back.
func (b *Buffer) lockedDrop() {
	if b.kept || b.bytes == nil || len(b.packed) != 1 {
		return
	}
	for l := range b.packed {
		if b.isAll(l) {
			if !b.lent {
				b.backend.memory.give(b.bytes)
			}
			b.bytes, b.only, b.dropped = nil, l, true
		}
	}
}

// isAll tells whether a packed copy would hold all values, and so many that it is worth
// having one copy alone.
func (b *Buffer) isAll(l layout) bool {
	const worthwhile = 1 << 14 // values
	return l.source == "" && l.offset == 0 && l.k*l.n == b.shape.Size() && l.k*l.n >= worthwhile
}

// packedInput is the packed copy of a parameter's matrix, which its buffer keeps.
func (e *env) packedInput(m *matmul) (kernels.Packed, error) {
	b := e.inputs[m.source.slot.parameter]
	b.mu.Lock()
	defer b.mu.Unlock()
	packed, ok := b.packed[m.right]
	if ok {
		return packed, nil
	}
	_, err := b.restored()
	switch {
	case err != nil:
	case b.half:
		packed.Halves, err = packParameter[uint16](e, m, b)
	default:
		packed.Floats, err = packParameter[float32](e, m, b)
	}
	if err != nil {
		return packed, err
	}
	if b.packed == nil {
		b.packed = map[layout]kernels.Packed{}
	}
	b.packed[m.right] = packed
	if e.packedAlone[m.source.slot.parameter] {
		b.lockedDrop() // at once, so that memory holds one matrix twice, not all
	}
	return packed, nil
}

// packParameter packs a matrix whose buffer is locked: in its own memory if it can.
func packParameter[T float32 | uint16](e *env, m *matmul, b *Buffer) ([]T, error) {
	l := m.right
	panels := (l.n + kernels.PanelWidth - 1) / kernels.PanelWidth
	size := sizeOf[T]() * kernels.PackedLen(l.k, l.n)
	if e.packedAlone[m.source.slot.parameter] && b.canPackInPlace(l, size) {
		packed := valuesOf[T](b.bytes[:size])
		b.bytes, b.only, b.dropped = nil, l, true
		return packed, e.each(panels, func(w *worker, panel int) {
			spare := valuesOf[T](w.room(sizeOf[T]() * kernels.PanelWidth * l.k))
			kernels.PackTransposed(packed, l.k, l.n, panel, spare)
		})
	}
	from := valuesOf[T](b.bytes)
	if m.copied {
		from = make([]T, m.source.size())
		gatherView(from, valuesOf[T](b.bytes), m.source)
	}
	packed := valuesOf[T](e.backend.memory.take(size))
	return packed, e.each(panels, func(_ *worker, panel int) {
		kernels.PackPanel(packed, kernels.MatrixOf[T]{Data: from[l.offset:], Row: l.row, Col: l.col}, l.k, l.n, panel)
	})
}

// canPackInPlace tells whether a matrix can be packed where its values lie: it is
// transposed, and nobody else wants or holds them.
func (b *Buffer) canPackInPlace(l layout, size int) bool {
	return !b.kept && !b.lent && len(b.packed) == 0 && b.isAll(l) && l.row == 1 && l.col == l.k && cap(b.bytes) >= size
}

// gatherView copies the elements of v, which lie in from, to y in order.
func gatherView[T any](y, from []T, v view) {
	i := 0
	walk(v.dims, []view{v}, func(at []int) {
		y[i] = from[at[0]]
		i++
	})
}
