package kernels

import "unsafe"

// A matrix unit multiplies bfloat16s, sixteen times as many as a core's vectors multiply
// float32s. A float32 x has 24 significant bits, and is the sum of three bfloat16s of eight,
//
//	x = x₀ + x₁ + x₂,  |x₁| ≤ 2⁻⁸|x|,  |x₂| ≤ 2⁻¹⁶|x|
//
// each the nearest one to what is left, so that
//
//	x·y ≈ x₂y₀ + x₁y₁ + x₀y₂ + x₁y₀ + x₀y₁ + x₀y₀
//
// leaves out less than 2⁻²²·|x·y|, either way. Sums of these in float32 are no further from
// those in float64 than sums of float32s (TestThirdsAreAsExact), at 1.7 times the rate with what
// cutting takes (docs/performance.md). They are not the same: values that are infinite, or would
// be as bfloat16s, give NaN, and what is below 2⁻¹²⁶ counts as 0. The bits are not those of
// [Set.Multiply], so that one of the two is chosen for all of a product.
//
// The unit reads blocks: of a chunk of 32 k, three planes of two halves of 16 rows of A, or
// columns of B. A line of a half has a row's k and k+16 side by side; of B, those of a k.
const (
	chunkDepth = 32
	tileRows   = 32
	lineLen    = 32
	halfLen    = 16 * lineLen
	blockLen   = 3 * 2 * halfLen

	// ThirdsRows is the most rows of a call: their blocks of thirdsDepth k stay in the second
	// cache while one panel of B after another is multiplied with them.
	ThirdsRows  = 256
	thirdsDepth = 768
)

// unit is the matrix unit of a processor.
type unit struct {
	// cut writes m times n lines: of 16 values at x, and of the 16 that are apart values on.
	// Steps lead from line to line, jumps from one to the next of the m.
	cut func(to *uint16, stepTo, jumpTo int, x *float32, apart, stepX, jumpX int, n, m int)
	// multiply computes C = from + A·B for tiles of 32×32 that stand one above another; from
	// may be nil. At each chunk it asks for 512 bytes, the first of which are at soon: B
	// comes from memory, and the next panel is wanted next.
	multiply func(c *float32, rowC int, from *float32, rowFrom int, a, b *uint16, chunks, tiles int, soon uintptr)
}

// Thirds is the memory that a thread needs for [Set.MultiplyThirds]; its zero value will do.
type Thirds struct {
	a, b       []uint16
	spare      []float32 // a chunk of all rows of A, or of B
	tile, from [tileRows * PanelWidth]float32
}

// HasThirds tells whether there is a matrix unit.
func (s *Set) HasThirds() bool { return s.unit != nil }

// MultiplyThirds is [Set.Multiply] by the matrix unit, for at most ThirdsRows rows and a packed
// B of float32s. The bits do not depend on how rows and columns are cut into calls.
func (s *Set) MultiplyThirds(c []float32, rowC int, a Segments, packed []float32, rows, k, first, cols int, ends Ends, t *Thirds) {
	if rows == 0 || cols == 0 || k == 0 {
		s.Multiply(c, rowC, a, Packed{Floats: packed}, rows, k, first, cols, ends)
		return
	}
	t.reserve()
	f := ends.frame(c, rowC, rows, first+cols)
	for from := 0; from < k; from += thirdsDepth {
		depth := min(thirdsDepth, k-from)
		t.cutRows(s, a, rows, from, depth)
		of := f.part(from == 0, false)
		for col := first; col < first+cols; col += PanelWidth {
			t.cutPanel(s, packed[col*k+from*PanelWidth:][:depth*PanelWidth], depth)
			soon := Packed{Floats: packed}.after(k, from, depth, col, first, cols)
			t.multiply(s, &of, rows, col, min(PanelWidth, first+cols-col), chunks(depth), soon.at)
		}
	}
	t.finish(s, &f, rows, first, cols)
}

func chunks(depth int) int { return (depth + chunkDepth - 1) / chunkDepth }

// reserve makes the memory.
func (t *Thirds) reserve() {
	if t.a == nil {
		most := chunks(thirdsDepth) * blockLen
		t.a, t.b = aligned(ThirdsRows/tileRows*most), aligned(most)
		t.spare = make([]float32, ThirdsRows*chunkDepth)
	}
}

// aligned is n values that begin with a cache line.
func aligned(n int) []uint16 {
	const line = 64
	b := make([]uint16, n+line/2)
	skip := -uintptr(unsafe.Pointer(&b[0])) % line / 2
	return b[skip:][:n]
}

// cutRows cuts columns [from, from+depth) of A's rows: those that fill a chunk where they lie,
// if they lie side by side.
func (t *Thirds) cutRows(s *Set, a Segments, rows, from, depth int) {
	whole := 0
	if a.Col == 1 && (a.Width == 0 || a.Width%chunkDepth == 0 && from%chunkDepth == 0) {
		whole = depth / chunkDepth * chunkDepth
	}
	for i := 0; i < rows; {
		n := min(tileRows/2-i%(tileRows/2), rows-i) // of a half
		if a.Height > 0 {
			n = min(n, a.Height-i%a.Height)
		}
		for k := 0; k < whole; {
			x := a.rest(i, from+k, whole-k)
			m := len(x) / chunkDepth
			_ = a.Data[a.place(i+n-1, from+k)+m*chunkDepth-1]
			s.unit.cut(t.line(i, k, depth), lineLen, blockLen, &x[0], chunkDepth/2, a.Row, chunkDepth, n, m)
			k += m * chunkDepth
		}
		i += n
	}
	for k := whole; k < depth; k += chunkDepth {
		t.gather(s, a, rows, from+k, min(chunkDepth, depth-k))
		for i := 0; i < rows; i += tileRows / 2 {
			s.unit.cut(t.line(i, k, depth), lineLen, 0, &t.spare[i*chunkDepth], chunkDepth/2, chunkDepth, 0, min(tileRows/2, rows-i), 1)
		}
	}
}

// line is where row i of A begins in the chunk of k.
func (t *Thirds) line(i, k, depth int) *uint16 {
	return &t.a[(i/tileRows*chunks(depth)+k/chunkDepth)*blockLen+i%tileRows*lineLen]
}

// gather copies n columns of A from k on, and 0 up to a whole chunk.
func (t *Thirds) gather(s *Set, a Segments, rows, k, n int) {
	if a.Width == 0 && a.Height == 0 {
		PackPanel(s, t.spare, Matrix{a.Data[k*a.Col:], a.Row, a.Col}, rows, n, 0)
		return
	}
	for i := range rows {
		line := t.spare[i*chunkDepth:][:chunkDepth]
		clear(line)
		for j := range n {
			line[j] = a.Data[a.place(i, k+j)]
		}
	}
}

// cutPanel cuts a panel of depth k.
func (t *Thirds) cutPanel(s *Set, panel []float32, depth int) {
	whole := depth / chunkDepth
	cut := func(block int, x []float32, n int) {
		if n == 0 {
			return
		}
		_ = x[n*chunkDepth*PanelWidth-1]
		for half := range 2 {
			s.unit.cut(&t.b[block*blockLen+half*halfLen], lineLen, blockLen,
				&x[half*PanelWidth/2], chunkDepth/2*PanelWidth, PanelWidth, chunkDepth*PanelWidth, chunkDepth/2, n)
		}
	}
	cut(0, panel, whole)
	if left := panel[whole*chunkDepth*PanelWidth:]; len(left) > 0 {
		clear(t.spare[copy(t.spare, left) : chunkDepth*PanelWidth])
		cut(whole, t.spare, 1)
	}
}

// multiply multiplies the blocks of A's rows with those of a panel, of which cols columns count.
func (t *Thirds) multiply(s *Set, f *frame, rows, col, cols, chunks int, soon uintptr) {
	a, b, whole := &t.a[0], &t.b[0], rows/tileRows
	if cols < PanelWidth {
		whole = 0
	}
	s.unit.multiply(f.c.place(0, col), f.c.row, f.from.place(0, col), f.from.row, a, b, chunks, whole, soon)
	for row := whole * tileRows; row < rows; row += tileRows {
		high, from := min(tileRows, rows-row), f.from.at
		if from != nil {
			from = &t.from[0]
			for i := range high {
				copy(t.from[i*PanelWidth:], vector(f.from.place(row+i, col), cols))
			}
		}
		s.unit.multiply(&t.tile[0], PanelWidth, from, PanelWidth, offset(a, row/tileRows*chunks*blockLen), b, chunks, 1, soon)
		for i := range high {
			copy(vector(f.c.place(row+i, col), cols), t.tile[i*PanelWidth:])
		}
	}
}

// finish does what is done with sums in the end.
func (t *Thirds) finish(s *Set, f *frame, rows, first, cols int) {
	if f.plus.at == nil && f.rectify == 0 {
		return
	}
	clear(t.spare)
	for i := range rows {
		for col := first; col < first+cols; col += len(t.spare) {
			n := min(len(t.spare), first+cols-col)
			c := vector(f.c.place(i, col), n)
			if f.plus.at != nil {
				s.Add(c, c, vector(f.plus.place(i, col), n))
			}
			if f.rectify != 0 {
				s.Max(c, c, t.spare[:n])
			}
		}
	}
}
