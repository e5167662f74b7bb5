package kernels

import "unsafe"

// PanelWidth is the number of columns that stand together in packed memory: a
// matrix [K, N] is packed as [N/32][K][32], the last panel filled up with zeros.
const PanelWidth = 32

// depth is how much of k a product of several tiles covers before it turns to the next
// columns: its part of a panel stays in the first cache or near it while all rows are
// multiplied, and the next part comes from memory meanwhile. A product of one tile reads
// panels from end to end. It does not change results.
const depth = 256

// shallow is depth for so few rows that a part of a panel is soon done with: it and the one
// that is asked for lie in the first cache together.
const (
	shallow     = 64
	shallowRows = 9
)

// tileOf is a kernel that computes a tile of C = from + A·B + plus, cols wide and of a fixed
// height, and nothing below 0 where rectify is not 0; from and plus may be nil. At each k it
// asks for the cache line ahead bytes behind the one before, the first of which is at soon.
type tileOf[T float32 | uint16] struct {
	cols int
	run  func(c *float32, rowC int, from *float32, rowFrom int, plus *float32, rowPlus int,
		a *float32, rowA, colA int, b *T, rowB, k, rectify int, soon uintptr, ahead int)
}

// tile multiplies with float32s, halfTile with halves.
type (
	tile     = tileOf[float32]
	halfTile = tileOf[uint16]
)

// MatrixOf is a matrix whose value (i, k) lies at Data[i·Row + k·Col].
type MatrixOf[T float32 | uint16] struct {
	Data     []T
	Row, Col int
}

// Matrix is a matrix of float32s.
type Matrix = MatrixOf[float32]

// Segments is a matrix of float32s that may lie in pieces. Where Width is not 0, its columns
// are in segments of that many, each Jump values behind the one before; where Height is not
// 0, its rows are in groups of that many, each Drop values behind the one before.
type Segments struct {
	Matrix
	Width, Jump  int
	Height, Drop int
}

// from is the matrix from column k on, and how many of n columns it has: those of one segment.
func (s Segments) from(k, n int) (Segments, int) {
	at := k * s.Col
	if s.Width > 0 {
		at = k/s.Width*s.Jump + k%s.Width*s.Col
		n = min(n, s.Width-k%s.Width)
	}
	s.Data, s.Width = s.Data[at:], 0
	return s, n
}

// place is the index of a value.
func (s Segments) place(i, k int) int {
	at := i*s.Row + k*s.Col
	if s.Height > 0 {
		at += i / s.Height * (s.Drop - s.Height*s.Row)
	}
	if s.Width > 0 {
		at += k / s.Width * (s.Jump - s.Width*s.Col)
	}
	return at
}

// rest is what follows a value in its row, n values or those of its segment.
func (s Segments) rest(i, k, n int) []float32 {
	if s.Width > 0 {
		n = min(n, s.Width-k%s.Width)
	}
	return s.Data[s.place(i, k):][:n]
}

// group is how many of so many rows lie evenly apart.
func (s Segments) group(rows int) int {
	if s.Height > 0 {
		return min(s.Height, rows)
	}
	return rows
}

// end is one more than the index of the last value of rows rows and k columns.
func (s Segments) end(rows, k int) int {
	group := s.group(rows)
	last := (rows - 1) / group // the group of the last row
	end := last*s.Drop + (rows-1-last*group)*s.Row
	if last > 0 {
		end = max(end, (last-1)*s.Drop+(group-1)*s.Row)
	}
	return end + (k-1)*s.Col + 1
}

// Multiply computes the columns [first, first+cols) of C = A·B, with what ends say, for A with
// rows rows and k columns and a packed B. C's rows are rowC apart and c begins at its first
// column whatever first is, a multiple of PanelWidth. Halves give the bits that their values
// as float32s give.
func (s *Set) Multiply(c []float32, rowC int, a Segments, packed Packed, rows, k, first, cols int, ends Ends) {
	if rows == 0 || cols == 0 {
		return
	}
	highest := len(s.tiles)
	if packed.Halves != nil {
		highest = len(s.halfTiles)
	}
	step := depth
	switch {
	case rows <= highest:
		step = k
	case rows <= shallowRows:
		step = shallow
	}
	f := ends.frame(c, rowC, rows, first+cols)
	if k == 0 {
		panel(s, s.tiles, &f, first, a, nil, PanelWidth, 0, rows, cols, ahead{})
		return
	}
	if a.Width > 0 { // parts of about the same size, none in two segments
		parts := (a.Width + step - 1) / step
		step = (a.Width + parts - 1) / parts
	}
	for from := 0; from < k; {
		left, part := a.from(from, min(step, k-from))
		of := f.part(from == 0, from+part == k)
		for col := first; col < first+cols; col += PanelWidth {
			at, width := col*k+from*PanelWidth, min(PanelWidth, first+cols-col)
			var soon ahead
			switch {
			case rows > highest:
				soon = packed.after(k, from, step, col, first, cols)
			case s.lead > 0: // panels are read from end to end, one behind another
				soon = packed.rows(at+s.lead*PanelWidth, part)
			}
			if packed.Halves != nil {
				s.halfPanel(&of, col, left, packed.Halves[at:], part, rows, width, soon)
			} else {
				panel(s, s.tiles, &of, col, left, packed.Floats[at:], PanelWidth, part, rows, width, soon)
			}
		}
		from += part
	}
}

// MultiplyPlain is Multiply for a matrix B as it lies, to the same bits. It packs one panel
// after another into spare, of k·PanelWidth values, unless their rows are contiguous and A
// has so few that each is read but once; while it computes with so few, it asks for next,
// which the caller wants then.
func (s *Set) MultiplyPlain(c []float32, rowC int, a Segments, b Matrix, rows, k, first, cols int, ends Ends, spare, next []float32) {
	if rows == 0 || cols == 0 || k == 0 {
		s.Multiply(c, rowC, a, Packed{}, rows, k, first, cols, ends)
		return
	}
	f, few := ends.frame(c, rowC, rows, first+cols), rows <= len(s.tiles) && a.Width == 0
	for col := first; col < first+cols; col += PanelWidth {
		width := min(PanelWidth, first+cols-col)
		right, rowB := b.Data[col*b.Col:], b.Row
		if b.Col != 1 || width < PanelWidth || !few {
			PackPanel(s, spare, Matrix{right, b.Row, b.Col}, k, width, 0)
			right, rowB = spare[:k*PanelWidth], PanelWidth
		}
		if !few {
			s.Multiply(c[col:], rowC, a, Packed{Floats: right}, rows, k, 0, width, ends.right(col))
			continue
		}
		var soon ahead
		soon, next = askFor(next, k*PanelWidth)
		panel(s, s.tiles, &f, col, a, right, rowB, k, rows, width, soon)
	}
}

// panel computes the columns of C from col on from a panel B of k rows, rowB values apart, of
// which the first cols columns count. A's columns are one segment.
func panel[T float32 | uint16](s *Set, tiles []tileOf[T], f *frame, col int, a Segments, b []T, rowB, k, rows, cols int, soon ahead) {
	if k > 0 { // The kernels do not check bounds, so that is done here; the frame's are.
		_, _ = a.Data[a.end(rows, k)-1], b[(k-1)*rowB+PanelWidth-1]
	}
	right, width, group := unsafe.SliceData(b), tiles[len(tiles)-1].cols, a.group(rows)
	perGroup := (group + len(tiles) - 1) / len(tiles)
	soon.share((rows+group-1)/group*perGroup*((cols+width-1)/width), k, uintptr(unsafe.Pointer(right)))
	for row := 0; row < rows; row += group {
		group = min(group, rows-row)
		tilesOf(s, tiles, f, row, col, a.Matrix, right, rowB, k, group, cols, &soon)
		if row+group < rows && k > 0 {
			a.Data = a.Data[a.Drop:]
		}
	}
}

// tilesOf is panel for rows that lie evenly apart, from row on: tiles of about the same height.
func tilesOf[T float32 | uint16](s *Set, tiles []tileOf[T], f *frame, row, col int, a Matrix, b *T, rowB, k, rows, cols int, soon *ahead) {
	left := unsafe.SliceData(a.Data)
	for count := (rows + len(tiles) - 1) / len(tiles); count > 0; count-- {
		height := (rows + count - 1) / count
		t, at := tiles[height-1], 0
		for ; at+t.cols <= cols; at += t.cols {
			t.compute(f, row, col+at, left, a, offset(b, at), rowB, k, soon)
		}
		if at < cols {
			spare := s.spare.Get().(*spare)
			inside := f.lend(spare, row, col+at, height, cols-at)
			t.compute(&inside, 0, 0, left, a, offset(b, at), rowB, k, soon)
			f.collect(spare, row, col+at, height, cols-at)
			s.spare.Put(spare)
		}
		if rows, row = rows-height, row+height; rows > 0 && k > 0 {
			left = offset(left, height*a.Row)
		}
	}
}

// compute computes the tile at a row and column of a frame.
func (t tileOf[T]) compute(f *frame, row, col int, left *float32, a Matrix, b *T, rowB, k int, soon *ahead) {
	t.run(f.c.place(row, col), f.c.row, f.from.place(row, col), f.from.row, f.plus.place(row, col), f.plus.row,
		left, a.Row, a.Col, b, rowB, k, f.rectify, soon.next(), soon.step)
}

func offset[T any](p *T, n int) *T {
	if p == nil {
		return nil
	}
	return (*T)(unsafe.Add(unsafe.Pointer(p), n*int(unsafe.Sizeof(*p))))
}

// productPortable is the twin of the tiles: four columns wide, one or two high,
// which is what fits into the registers of plain code.
func productPortable(rows int) tile {
	return tile{4, func(c *float32, rowC int, from *float32, rowFrom int, plus *float32, rowPlus int,
		a *float32, rowA, colA int, b *float32, rowB, k, rectify int, _ uintptr, _ int) {
		if rows == 1 {
			// A second row that is the first again costs little and keeps one loop.
			rowA, rowC, rowFrom, rowPlus = 0, 0, 0, 0
		}
		var x0, x1, x2, x3, y0, y1, y2, y3 float32
		if from != nil {
			f0, f1 := vector(from, 4), vector(offset(from, rowFrom), 4)
			x0, x1, x2, x3 = f0[0], f0[1], f0[2], f0[3]
			y0, y1, y2, y3 = f1[0], f1[1], f1[2], f1[3]
		}
		if k > 0 {
			a0, a1, bs := vector(a, (k-1)*colA+1), vector(offset(a, rowA), (k-1)*colA+1), vector(b, (k-1)*rowB+4)
			for i := range k {
				p, q, v := a0[i*colA], a1[i*colA], bs[i*rowB:i*rowB+4]
				x0, x1, x2, x3 = x0+p*v[0], x1+p*v[1], x2+p*v[2], x3+p*v[3]
				y0, y1, y2, y3 = y0+q*v[0], y1+q*v[1], y2+q*v[2], y3+q*v[3]
			}
		}
		x, y := [4]float32{x0, x1, x2, x3}, [4]float32{y0, y1, y2, y3}
		if plus != nil {
			p0, p1 := vector(plus, 4), vector(offset(plus, rowPlus), 4)
			for j := range x {
				x[j], y[j] = x[j]+p0[j], y[j]+p1[j]
			}
		}
		if rectify != 0 {
			for j := range x {
				x[j], y[j] = max(x[j], 0), max(y[j], 0)
			}
		}
		copy(vector(c, 4), x[:])
		copy(vector(offset(c, rowC), 4), y[:])
	}}
}
