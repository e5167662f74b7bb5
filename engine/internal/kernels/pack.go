package kernels

import "unsafe"

// Packed is a packed matrix, of float32s or of IEEE 754 halves, whichever there are.
type Packed struct {
	Floats []float32
	Halves []uint16
}

// PackedLen is the number of values that a packed matrix [k, n] takes.
func PackedLen(k, n int) int { return (n + PanelWidth - 1) / PanelWidth * PanelWidth * k }

// PackPanel writes panel number panel of B, a matrix [k, n], to its place in
// packed, with the kernels of s.
func PackPanel[T float32 | uint16](s *Set, packed []T, b MatrixOf[T], k, n, panel int) {
	first := panel * PanelWidth
	cols := min(PanelWidth, n-first)
	to := packed[first*k : first*k+k*PanelWidth]
	if cols < PanelWidth {
		clear(to)
	}
	switch {
	case k == 0:
	case b.Col == 1: // rows lie as they are wanted
		for i := range k {
			copy(to[i*PanelWidth:i*PanelWidth+cols], b.Data[i*b.Row+first:])
		}
	case b.Row == 1: // a matrix stored transposed: columns are contiguous
		packColumns(s, to, b.Data[first*b.Col:], b.Col, k, cols)
	default:
		for i := range k {
			for j := range cols {
				to[i*PanelWidth+j] = b.Data[i*b.Row+(first+j)*b.Col]
			}
		}
	}
}

// packColumns transposes: float32s eight columns by eight with a kernel, what is left four by
// four.
func packColumns[T float32 | uint16](s *Set, to, from []T, col, k, cols int) {
	const eight = 8
	j, whole := 0, 0
	if unsafe.Sizeof(to[0]) == 4 {
		whole = k &^ (eight - 1)
	}
	for ; whole > 0 && j+eight <= cols; j += eight {
		x, y := from[j*col:(j+eight-1)*col+k], to[j:(k-1)*PanelWidth+j+eight]
		s.transpose((*float32)(unsafe.Pointer(&y[0])), (*float32)(unsafe.Pointer(&x[0])), col, whole)
		if whole < k {
			transpose(to[whole*PanelWidth+j:], from[j*col+whole:], col, k-whole, eight)
		}
	}
	if j < cols {
		transpose(to[j:], from[j*col:], col, k, cols-j)
	}
}

// transpose writes cols columns of k values to rows of a panel. Four columns at a time spare
// the caches most of the scattered writes.
func transpose[T float32 | uint16](to, from []T, col, k, cols int) {
	j := 0
	for ; j+4 <= cols; j += 4 {
		c0, c1 := from[j*col:j*col+k], from[(j+1)*col:(j+1)*col+k]
		c2, c3 := from[(j+2)*col:(j+2)*col+k], from[(j+3)*col:(j+3)*col+k]
		for i := range k {
			row := to[i*PanelWidth+j : i*PanelWidth+j+4 : i*PanelWidth+j+4]
			row[0], row[1], row[2], row[3] = c0[i], c1[i], c2[i], c3[i]
		}
	}
	for ; j < cols; j++ {
		for i, v := range from[j*col : j*col+k] {
			to[i*PanelWidth+j] = v
		}
	}
}

// transposePortable is the twin of the kernel.
func transposePortable(y, x *float32, column, n int) {
	if n > 0 {
		transpose(vector(y, (n-1)*PanelWidth+8), vector(x, 7*column+n), column, n, 8)
	}
}

// PackTransposed packs panel number panel of B, a matrix [k, n] whose columns lie one
// behind another, in its own memory: a panel takes the place of its columns. packed has
// room for the last one, spare for a panel.
func PackTransposed[T float32 | uint16](s *Set, packed []T, k, n, panel int, spare []T) {
	first := panel * PanelWidth
	cols := min(PanelWidth, n-first)
	from := spare[:copy(spare, packed[first*k:(first+cols)*k])]
	PackPanel(s, packed[first*k:], MatrixOf[T]{from, 1, k}, k, cols, 0)
}

// UnpackColumn copies column n of a packed matrix [k, …] to y.
func UnpackColumn[T float32 | uint16](y, packed []T, k, n int) {
	from := packed[n/PanelWidth*PanelWidth*k+n%PanelWidth:]
	for i := range y[:k] {
		y[i] = from[i*PanelWidth]
	}
}
