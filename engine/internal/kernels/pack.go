package kernels

// Packed is a packed matrix, of float32s or of IEEE 754 halves, whichever there are.
type Packed struct {
	Floats []float32
	Halves []uint16
}

// PackedLen is the number of values that a packed matrix [k, n] takes.
func PackedLen(k, n int) int { return (n + PanelWidth - 1) / PanelWidth * PanelWidth * k }

// PackPanel writes panel number panel of B, a matrix [k, n], to its place in
// packed.
func PackPanel[T float32 | uint16](packed []T, b MatrixOf[T], k, n, panel int) {
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
		packColumns(to, b.Data[first*b.Col:], b.Col, k, cols)
	default:
		for i := range k {
			for j := range cols {
				to[i*PanelWidth+j] = b.Data[i*b.Row+(first+j)*b.Col]
			}
		}
	}
}

// packColumns transposes blocks of eight by four, which spares the caches most of
// the scattered writes.
func packColumns[T float32 | uint16](to, from []T, col, k, cols int) {
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

// PackTransposed packs panel number panel of B, a matrix [k, n] whose columns lie one
// behind another, in its own memory: a panel takes the place of its columns. packed has
// room for the last one, spare for a panel.
func PackTransposed[T float32 | uint16](packed []T, k, n, panel int, spare []T) {
	first := panel * PanelWidth
	cols := min(PanelWidth, n-first)
	from := spare[:copy(spare, packed[first*k:(first+cols)*k])]
	PackPanel(packed[first*k:], MatrixOf[T]{from, 1, k}, k, cols, 0)
}

// UnpackColumn copies column n of a packed matrix [k, …] to y.
func UnpackColumn[T float32 | uint16](y, packed []T, k, n int) {
	from := packed[n/PanelWidth*PanelWidth*k+n%PanelWidth:]
	for i := range y[:k] {
		y[i] = from[i*PanelWidth]
	}
}
