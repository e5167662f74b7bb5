package kernels

import "math"

// Widen is y = x, IEEE 754 halves, exactly; NaN becomes quiet.
func (s *Set) Widen(y []float32, x []uint16) {
	x = x[:len(y)]
	n := len(y) &^ (s.lanes - 1)
	if n > 0 {
		s.widen(&y[0], &x[0], n)
	}
	if n < len(y) {
		spare := s.spare.Get().(*spare)
		copy(spare.halves[:], x[n:])
		s.widen(&spare.y[0], &spare.halves[0], s.lanes)
		copy(y[n:], spare.y[:])
		s.spare.Put(spare)
	}
}

// halfPanel is panel for a panel of halves. A few rows multiply with them as
// they are read; for more, the panel, at most depth rows of it, is widened before.
func (s *Set) halfPanel(f *frame, col int, a Segments, b []uint16, k, rows, cols int, soon ahead) {
	if rows <= len(s.halfTiles) {
		panel(s, s.halfTiles, f, col, a, b, PanelWidth, k, rows, cols, soon)
		return
	}
	spare := s.spare.Get().(*spare)
	defer s.spare.Put(spare)
	s.Widen(spare.panel[:k*PanelWidth], b)
	panel(s, s.tiles, f, col, a, spare.panel[:], PanelWidth, k, rows, cols, soon)
}

func widenPortable(y *float32, x *uint16, n int) {
	ys := vector(y, n)
	for i, h := range vector(x, n) {
		ys[i] = widen(h)
	}
}

// widen is the value of a half: its bits as those of a float32 are too small by 2¹¹².
func widen(h uint16) float32 {
	magnitude := math.Float32frombits(uint32(h&0x7fff)<<13) * 0x1p112
	bits := math.Float32bits(magnitude)
	if h&0x7c00 == 0x7c00 { // infinity and NaN
		bits |= 0x7f800000
		if h&0x3ff != 0 {
			bits |= 0x00400000
		}
	}
	return math.Float32frombits(bits | uint32(h&0x8000)<<16)
}
