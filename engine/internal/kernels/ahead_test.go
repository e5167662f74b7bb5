package kernels

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

// TestPartsAreAskedFor: when a part of a panel is read, all but the first have been asked
// for, line by line, and nothing that is not near the packed matrix.
func TestPartsAreAskedFor(t *testing.T) {
	const line = 64
	for _, shape := range []struct{ rows, k, first, cols int }{
		{13, 700, 0, 96}, {50, 768, 32, 64}, {50, 256, 0, 128}, {6, 600, 64, 32}, {4, 1000, 0, 40},
	} {
		p := newProblem(rand.New(rand.NewPCG(1, 2)), shape.rows, shape.k, 128, 0, false, false)
		start := uintptr(unsafe.Pointer(&p.packed.Floats[0]))
		asked := map[uintptr]bool{}
		parts := 0
		read := func(b uintptr, rowB, cols, k int) {
			if parts++; parts <= 1 {
				return
			}
			for i := range k {
				for at := b + uintptr(4*i*rowB); at < b+uintptr(4*(i*rowB+cols)); at += line {
					if !asked[at/line] {
						t.Fatalf("%+v: what lies %d bytes on is read, and was not asked for", shape, at-start)
					}
				}
			}
		}
		var last uintptr
		s := &Set{spare: portable().spare}
		for range 3 {
			s.tiles = append(s.tiles, tile{PanelWidth, func(_ *float32, _ int, _ *float32, _, _ int, b *float32, rowB, k, _ int, soon uintptr, ahead int) {
				at := uintptr(unsafe.Pointer(b))
				if part := (at - start) / (4 * PanelWidth); part != last || parts == 0 {
					read(at, rowB, PanelWidth, k)
					last = part
				}
				for i := range k {
					at := soon + uintptr(i*ahead)
					if at-start >= uintptr(4*len(p.packed.Floats)+k) {
						t.Fatalf("%+v: %d bytes from the start are asked for, of %d", shape, at-start, 4*len(p.packed.Floats))
					}
					asked[at/line] = true
				}
			}})
		}
		s.Multiply(p.c, p.rowC, Segments{Matrix: p.a}, p.packed, p.rows, p.k, shape.first, shape.cols, false)
	}
}
