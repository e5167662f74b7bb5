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

// packedCopy is a matrix of a parameter's values.
type packedCopy struct {
	kernels.Packed
	source *view // whose elements are the matrix, where they had to be copied in order first
	all    bool  // it holds all values, and so many that it is worth having it alone
}

// values returns the tensor's memory, of what its shape says.
func (b *Buffer) values() ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	stored, err := b.restored()
	if err == nil && b.half {
		b.bytes = b.reserve(bytesOf(b.shape))
		b.write(b.bytes, stored)
		if b.half = false; !b.lent {
			b.giveBack(stored)
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
			b.bytes = unpack(packed.Halves, b.only, packed.source)
		} else {
			b.bytes = unpack(packed.Floats, b.only, packed.source)
		}
		b.dropped, b.kept = false, true
	}
	if b.bytes == nil {
		return nil, errFinalized
	}
	return b.bytes, nil
}

// unpack returns the values of a packed matrix where layout, and source if it is not nil,
// say they lie.
func unpack[T float32 | uint16](packed []T, l layout, source *view) []byte {
	bytes := alignedBytes(sizeOf[T]() * l.k * l.n)
	to, column := valuesOf[T](bytes), make([]T, l.k)
	for j := range l.n {
		kernels.UnpackColumn(column, packed, l.k, j)
		for i, v := range column {
			to[l.offset+i*l.row+j*l.col] = v
		}
	}
	if source == nil {
		return bytes
	}
	from := to
	bytes = alignedBytes(len(bytes))
	to = valuesOf[T](bytes)
	source.each(func(i, at int) { to[at] = from[i] })
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
	for l, packed := range b.packed {
		if packed.all {
			if !b.lent {
				b.giveBack(b.bytes)
			}
			b.bytes, b.only, b.dropped = nil, l, true
		}
	}
}

// packedInput is the packed copy of a parameter's matrix, which its buffer keeps.
func (e *env) packedInput(m *matmul) (kernels.Packed, error) {
	b := e.inputs[m.source.slot.parameter]
	b.mu.Lock()
	defer b.mu.Unlock()
	packed, ok := b.packed[m.right]
	if ok {
		return packed.Packed, nil
	}
	const worthwhile = 1 << 14 // values
	packed.all = m.source.isPermuted() && m.source.size() >= worthwhile
	if m.copied {
		packed.source = &m.source
	}
	_, err := b.restored()
	inPlace := packed.all && e.packedAlone[m.source.slot.parameter] && b.canPackInPlace(m)
	switch {
	case err != nil:
	case b.half:
		packed.Halves, err = packParameter[uint16](e, m, b, inPlace)
	default:
		packed.Floats, err = packParameter[float32](e, m, b, inPlace)
	}
	if inPlace {
		b.bytes, b.only, b.dropped = nil, m.right, err == nil
	}
	if err != nil {
		return kernels.Packed{}, err
	}
	if b.packed == nil {
		b.packed = map[layout]packedCopy{}
	}
	b.packed[m.right] = packed
	if e.packedAlone[m.source.slot.parameter] {
		b.lockedDrop() // at once, so that memory holds one matrix twice, not all
	}
	return packed.Packed, nil
}

// canPackInPlace tells whether a matrix of all values can be packed where they lie: it is
// transposed, and nobody else wants or holds them.
func (b *Buffer) canPackInPlace(m *matmul) bool {
	l, size := m.right, len(b.bytes)/max(1, m.source.size())
	return !b.kept && !b.lent && len(b.packed) == 0 && !m.copied && l.row == 1 && l.col == l.k &&
		cap(b.bytes) >= size*kernels.PackedLen(l.k, l.n)
}

// packParameter packs a matrix of b's.
func packParameter[T float32 | uint16](e *env, m *matmul, b *Buffer, inPlace bool) ([]T, error) {
	l := m.right
	panels := (l.n + kernels.PanelWidth - 1) / kernels.PanelWidth
	size := sizeOf[T]() * kernels.PackedLen(l.k, l.n)
	if inPlace {
		packed := valuesOf[T](b.bytes[:size])
		return packed, e.each(panels, func(e *env, w *worker, panel int) {
			spare := valuesOf[T](w.room(sizeOf[T]() * kernels.PanelWidth * l.k))
			kernels.PackTransposed(e.kernels, packed, l.k, l.n, panel, spare)
		})
	}
	from := valuesOf[T](b.bytes)
	if m.copied {
		values := from
		from = make([]T, m.source.size())
		m.source.each(func(i, at int) { from[i] = values[at] })
	}
	packed := valuesOf[T](b.reserve(size))
	return packed, e.each(panels, func(e *env, _ *worker, panel int) {
		kernels.PackPanel(e.kernels, packed, kernels.MatrixOf[T]{Data: from[l.offset:], Row: l.row, Col: l.col}, l.k, l.n, panel)
	})
}

// each visits the elements of a view in order: their numbers and their places in the slot.
func (v view) each(visit func(i, at int)) {
	i := 0
	walk(v.dims, []view{v}, func(at places) {
		visit(i, at[0])
		i++
	})
}
