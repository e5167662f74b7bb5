package kernels

import "unsafe"

// ahead is memory that will be read soon. Weights come from memory for each call, which
// takes longer than a processor looks ahead by itself, so tiles ask for the part of a panel
// that follows, evenly while they compute.
type ahead struct {
	at    uintptr // only ever asked for, so that it need not be a pointer
	bytes int     // all of it, then those of a tile
	step  int     // and for each of its steps
}

// after is what a product reads behind the part of a panel at column col, from row from on,
// of parts of step rows: the same rows of the next panel, the next rows of the first one, or
// in the end the panel behind its columns [first, first+cols), which the caller probably
// wants next.
func (p Packed) after(k, from, step, col, first, cols int) ahead {
	if col += PanelWidth; col >= first+cols {
		if from += step; from < k {
			col = first
		} else {
			from = 0
		}
	}
	return p.rows(col*k+from*PanelWidth, min(step, k-from))
}

// rows are n rows of a panel from value number at on, or as many as there are.
func (p Packed) rows(at, n int) ahead {
	n *= PanelWidth
	switch {
	case at < len(p.Floats):
		return ahead{at: uintptr(unsafe.Pointer(&p.Floats[at])), bytes: 4 * min(n, len(p.Floats)-at)}
	case at < len(p.Halves):
		return ahead{at: uintptr(unsafe.Pointer(&p.Halves[at])), bytes: 2 * min(n, len(p.Halves)-at)}
	}
	return ahead{}
}

// askFor is the first n values of next, or as many as there are, and what is left.
func askFor(next []float32, n int) (ahead, []float32) {
	if n = min(n, len(next)); n == 0 {
		return ahead{}, nil
	}
	return ahead{at: uintptr(unsafe.Pointer(&next[0])), bytes: 4 * n}, next[n:]
}

// share cuts it for tiles of k steps. Where there is nothing to ask for, they ask for what
// they read.
func (s *ahead) share(tiles, k int, reads uintptr) {
	if s.bytes == 0 || k == 0 {
		s.at = reads
		return
	}
	s.bytes /= tiles
	s.step = (s.bytes + k - 1) / k
}

// next is where the next tile begins to ask.
func (s *ahead) next() uintptr {
	at := s.at
	s.at += uintptr(s.bytes)
	return at
}

// Ask asks for values of x from one on, which will be read soon: so many, or as many as there
// are.
func (s *Set) Ask(x []float32, from, n int) {
	if n = min(n, len(x)-from); s.ask != nil && n > 0 {
		s.ask(uintptr(unsafe.Pointer(&x[from])), (n+15)/16)
	}
}
