package kernels

import "unsafe"

// stretch is memory that will be read soon. Weights come from memory for each call, which
// takes longer than a processor looks ahead by itself, so tiles ask for the part of a panel
// that follows, evenly while they compute.
type stretch struct {
	start *byte
	bytes int
}

// after is what a product reads behind the part of a panel at column col, from row from on,
// of parts of step rows: the same rows of the next panel, the next rows of the first one, or
// in the end the panel behind its columns [first, first+cols), which the caller probably
// wants next.
func (p Packed) after(k, from, step, col, first, cols int) stretch {
	if col += PanelWidth; col >= first+cols {
		if from += step; from < k {
			col = first
		} else {
			from = 0
		}
	}
	at, n := col*k+from*PanelWidth, min(step, k-from)*PanelWidth
	switch {
	case at+n <= len(p.Floats):
		return stretch{(*byte)(unsafe.Pointer(&p.Floats[at])), 4 * n}
	case at+n <= len(p.Halves):
		return stretch{(*byte)(unsafe.Pointer(&p.Halves[at])), 2 * n}
	}
	return stretch{}
}

// cut returns the first of n equal parts, and the others.
func (s stretch) cut(n int) (part, others stretch) {
	if s.bytes == 0 || n == 1 {
		return s, stretch{}
	}
	part = stretch{s.start, s.bytes / n}
	return part, stretch{offset(s.start, part.bytes), s.bytes - part.bytes}
}

// inSteps is where a tile of k steps begins to ask and how far it goes each time. Where
// there is nothing to ask for, it is what the tile reads anyway.
func inSteps[T any](s stretch, reads *T, k int) (soon *byte, ahead int) {
	if s.bytes == 0 || k == 0 {
		return (*byte)(unsafe.Pointer(reads)), 0
	}
	return s.start, (s.bytes + k - 1) / k
}
