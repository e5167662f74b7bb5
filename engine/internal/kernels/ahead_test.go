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
			s.tiles = append(s.tiles, tile{PanelWidth, func(_ *float32, _ int, _ *float32, _ int, _ *float32, _ int, _ *float32, _, _ int, b *float32, rowB, k, _ int, soon uintptr, ahead int) {
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
		s.Multiply(p.c, p.rowC, Segments{Matrix: p.a}, p.packed, p.rows, p.k, shape.first, shape.cols, Ends{})
	}
}

// TestRowsAreAskedFor: a product of one tile reads panels row by row, and has asked for all
// but the first rows by then, two lines at each step, and for nothing behind the matrix.
func TestRowsAreAskedFor(t *testing.T) {
	const line, row, lead = 64, 4 * PanelWidth, 40
	for _, shape := range []struct{ k, n, first, cols int }{
		{300, 128, 0, 128}, {300, 128, 64, 64}, {64, 96, 0, 64}, {30, 128, 32, 96},
	} {
		p := newProblem(rand.New(rand.NewPCG(1, 2)), 2, shape.k, shape.n, 0, false, false)
		start := uintptr(unsafe.Pointer(&p.packed.Floats[0]))
		first, end := start+uintptr(4*shape.k*shape.first), start+uintptr(4*len(p.packed.Floats))
		asked := map[uintptr]bool{}
		steps := 0
		run := func(_ *float32, _ int, _ *float32, _ int, _ *float32, _ int, _ *float32, _, _ int, b *float32, _, k, _ int, soon uintptr, ahead int) {
			at := uintptr(unsafe.Pointer(b))
			for i := range uintptr(k) {
				steps++
				for to := soon + i*uintptr(ahead); to <= soon+i*uintptr(ahead)+line; to += line {
					if to >= end+2*line {
						t.Fatalf("%+v: %d bytes behind the matrix are asked for", shape, to-end)
					}
					asked[to/line] = true
				}
				for from := at + i*row; from < at+(i+1)*row; from += line {
					if from >= first+lead*row && !asked[from/line] {
						t.Fatalf("%+v: row %d is read, and was not asked for", shape, (from-start)/row)
					}
				}
			}
		}
		s := &Set{spare: portable().spare, lead: lead, tiles: []tile{{PanelWidth, run}, {PanelWidth, run}}}
		s.Multiply(p.c, p.rowC, Segments{Matrix: p.a}, p.packed, p.rows, p.k, shape.first, shape.cols, Ends{})
		if want := shape.k * shape.cols / PanelWidth; steps != want {
			t.Errorf("%+v: %d steps, want %d", shape, steps, want)
		}
	}
}

// TestNextIsAskedFor: while products of a row are computed, what the caller wants next is
// asked for, all of it and little more, whether B is packed before or not.
func TestNextIsAskedFor(t *testing.T) {
	const line = 64
	for _, shape := range []struct {
		k, n       int
		transposed bool
	}{{64, 32, true}, {32, 64, false}, {7, 96, false}, {50, 40, true}} {
		p := newProblem(rand.New(rand.NewPCG(1, 2)), 1, shape.k, shape.n, 0, false, shape.transposed)
		next := make([]float32, shape.k*shape.n)
		start := uintptr(unsafe.Pointer(&next[0]))
		end := start + uintptr(4*len(next))
		asked := map[uintptr]bool{}
		run := func(_ *float32, _ int, _ *float32, _ int, _ *float32, _ int, _ *float32, _, _ int, _ *float32, _, k, _ int, soon uintptr, ahead int) {
			for i := range uintptr(k) {
				for to := soon + i*uintptr(ahead); to <= soon+i*uintptr(ahead)+line; to += line {
					if to >= end+2*line {
						t.Fatalf("%+v: %d bytes behind it are asked for", shape, to-end)
					}
					asked[to/line] = true
				}
			}
		}
		s := &Set{spare: portable().spare, transpose: transposePortable, tiles: []tile{{PanelWidth, run}}}
		s.MultiplyPlain(p.c, p.rowC, Segments{Matrix: p.a}, p.b, 1, p.k, 0, p.n, Ends{}, make([]float32, p.k*PanelWidth), next)
		for at := start; at < end; at += line {
			if !asked[at/line] {
				t.Fatalf("%+v: what lies %d bytes on is not asked for", shape, at-start)
			}
		}
	}
}

// TestAskForWhatIsThere: asking beyond the end, or for nothing, is nothing.
func TestAskForWhatIsThere(t *testing.T) {
	asked := 0
	s := &Set{ask: func(_ uintptr, n int) { asked += n }}
	x := make([]float32, 100)
	for _, c := range []struct{ from, n, lines int }{{0, 100, 7}, {16, 16, 1}, {96, 1024, 1}, {100, 5, 0}, {200, 5, 0}, {0, 0, 0}} {
		asked = 0
		if s.Ask(x, c.from, c.n); asked != c.lines {
			t.Errorf("%d values from %d on: %d lines, want %d", c.n, c.from, asked, c.lines)
		}
	}
	eachSet(t, func(_ *testing.T, s, _ *Set) { s.Ask(x, 3, 90) })
}
