package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// twinUnit is a matrix unit in plain Go. Where a processor has one, its sums of products
// are rounded as these are, by what its maker says of it.
func twinUnit() *unit {
	return &unit{
		cut: func(to *uint16, stepTo, jumpTo int, x *float32, apart, stepX, jumpX int, n, m int) {
			for i := range m {
				for j := range n {
					at := offset(x, i*jumpX+j*stepX)
					even, odd := vector(at, 16), vector(offset(at, apart), 16)
					line := unsafe.Slice(offset(to, i*jumpTo+j*stepTo), 2*2*halfLen+lineLen)
					for k := range 16 {
						for plane, third := range thirdsOf(even[k]) {
							line[plane*2*halfLen+2*k] = third
						}
						for plane, third := range thirdsOf(odd[k]) {
							line[plane*2*halfLen+2*k+1] = third
						}
					}
				}
			}
		},
		multiply: func(c *float32, rowC int, from *float32, rowFrom int, a, b *uint16, chunks, tiles int, _ uintptr) {
			for i := range tiles * tileRows {
				for j := range PanelWidth {
					var sum float32
					if from != nil {
						sum = *offset(from, i*rowFrom+j)
					}
					for chunk := range chunks {
						left := vector16(a, (i/tileRows*chunks+chunk)*blockLen+i%tileRows*lineLen)
						right := vector16(b, chunk*blockLen+j/16*halfLen+j%16*2)
						for _, planes := range [][2]int{{2, 0}, {1, 1}, {0, 2}, {0, 1}, {0, 0}, {1, 0}} {
							sum += dot(left[planes[0]*2*halfLen:], right[planes[1]*2*halfLen:])
						}
					}
					*offset(c, i*rowC+j) = sum
				}
			}
		},
	}
}

func vector16(p *uint16, at int) []uint16 { return unsafe.Slice(offset(p, at), 2*2*halfLen+halfLen) }

// thirdsOf are the bfloat16s that a float32 is the sum of.
func thirdsOf(x float32) [3]uint16 {
	var thirds [3]uint16
	for plane := range thirds {
		near := math.Float32bits(x)
		if plane < 2 {
			near += 0x8000
		}
		thirds[plane] = uint16(near >> 16)
		x -= math.Float32frombits(near &^ 0xffff)
	}
	return thirds
}

// dot multiplies a line of A with a column of B, even and odd places apart.
func dot(a, b []uint16) float32 {
	var sums [2]float32
	for i := range lineLen {
		sums[i%2] = float32(float64(wide(a[i]))*float64(wide(b[i/2*lineLen+i%2])) + float64(sums[i%2]))
	}
	return sums[0] + sums[1]
}

func wide(x uint16) float32 { return math.Float32frombits(uint32(x) << 16) }

// eachUnit runs a test on the twin, and on the matrix unit of this processor if it has one.
func eachUnit(t *testing.T, test func(t *testing.T, s *Set)) {
	twin := portable()
	twin.unit = twinUnit()
	t.Run("twin", func(t *testing.T) { test(t, twin) })
	for _, s := range Sets() {
		if s.HasThirds() {
			t.Run(s.Name, func(t *testing.T) { test(t, s) })
		}
	}
}

// byThirds is run with the matrix unit, in so many rows and columns at a time.
func (p problem) byThirds(s *Set, add bool, rows, cols int) []float32 {
	c := slices.Clone(p.c)
	var room Thirds
	for row := 0; row < p.rows; row += rows {
		n := min(rows, p.rows-row)
		a := p.a
		a.Data = a.Data[row*a.Row:]
		for col := 0; col < p.n; col += cols {
			s.MultiplyThirds(c[row*p.rowC:], p.rowC, Segments{Matrix: a}, p.packed.Floats, n, p.k, col, min(cols, p.n-col), onto(c[row*p.rowC:], p.rowC, add), &room)
		}
	}
	return c
}

func TestThirds(t *testing.T) {
	eachUnit(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(5, 6))
		for _, shape := range [][3]int{
			{1, 1, 1}, {7, 31, 5}, {16, 32, 32}, {32, 33, 33}, {33, 64, 64}, {48, 100, 31},
			{17, 767, 33}, {33, 1600, 16}, {256, 33, 16}, {0, 5, 5}, {5, 0, 5}, {5, 5, 0},
		} {
			for _, transposed := range []bool{false, true} {
				p := newProblem(rng, shape[0], shape[1], shape[2], 0, transposed, transposed)
				for _, add := range []bool{false, true} {
					got := p.byThirds(s, add, ThirdsRows, max(1, p.n))
					p.compare(t, got, add)
					if p.rows*p.n > 0 && !slices.Equal(got, p.byThirds(s, add, 32, 32)) {
						t.Fatalf("%v, add %v: the bits differ in 32 rows and columns at a time", shape, add)
					}
				}
			}
		}
	})
}

// TestThirdsOfSegments: where the segments and groups of A lie makes no difference, nor what is
// done in the end.
func TestThirdsOfSegments(t *testing.T) {
	eachUnit(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(11, 12))
		for _, shape := range []Segments{
			{Matrix: Matrix{Row: 64, Col: 1}, Width: 64, Jump: 5000},
			{Matrix: Matrix{Row: 65, Col: 1}, Width: 96, Jump: 5000, Height: 7, Drop: 900},
			{Matrix: Matrix{Row: 300, Col: 1}, Height: 14, Drop: 9000},
			{Matrix: Matrix{Row: 1, Col: 40}, Width: 50, Jump: 4001},
			{Matrix: Matrix{Row: 11, Col: 3}, Width: 33, Jump: 7000, Height: 5, Drop: 100},
		} {
			p := newProblem(rng, 35, 257, 70, 0, false, false)
			apart := shape
			apart.Data = values(rng, shape.end(p.rows, p.k)+(p.k*shape.Jump), 0)
			for i := range p.rows {
				for k := range p.k {
					p.a.Data[i*p.k+k] = apart.Data[apart.place(i, k)]
				}
			}
			ends := Ends{From: Lines{values(rng, p.n, 0), 0}, Plus: Lines{values(rng, p.rows*p.n, 0), p.n}, Rectify: true}
			got, want := slices.Clone(p.c), slices.Clone(p.c)
			var room Thirds
			s.MultiplyThirds(got, p.rowC, apart, p.packed.Floats, p.rows, p.k, 0, p.n, ends, &room)
			s.MultiplyThirds(want, p.rowC, Segments{Matrix: p.a}, p.packed.Floats, p.rows, p.k, 0, p.n, Ends{From: ends.From}, &room)
			plainEnds(want, p.rowC, p.rows, p.n, Ends{Plus: ends.Plus, Rectify: true})
			if !slices.Equal(got, want) {
				t.Errorf("%+v: other bits", shape)
			}
		}
	})
}

// TestUnitIsItsTwin holds the unit of this processor to the twin's lines, bit by bit, and to
// its sums.
func TestUnitIsItsTwin(t *testing.T) {
	eachUnit(t, func(t *testing.T, s *Set) {
		rng, twin := rand.New(rand.NewPCG(13, 14)), twinUnit()
		x := values(rng, 4000, 50)
		got, want := make([]uint16, 4*blockLen), make([]uint16, 4*blockLen)
		s.unit.cut(&got[0], lineLen, blockLen, &x[3], 20, 41, 900, 7, 4)
		twin.cut(&want[0], lineLen, blockLen, &x[3], 20, 41, 900, 7, 4)
		for i := range want {
			if got[i] != want[i] && !(wide(got[i]) != wide(got[i]) && wide(want[i]) != wide(want[i])) {
				t.Fatalf("third %d is %#x, the twin's is %#x", i, got[i], want[i])
			}
		}
		p := newProblem(rng, 40, 900, 33, 0, false, false)
		other := portable()
		other.unit = twin
		compare(t, "product", p.byThirds(s, true, ThirdsRows, p.n), p.byThirds(other, true, ThirdsRows, p.n), 2e-5)
	})
}

// TestThirdsAreAsExact: sums by thirds are no further from those in float64 than sums of
// float32s one by one.
func TestThirdsAreAsExact(t *testing.T) {
	eachUnit(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(15, 16))
		for _, k := range []int{32, 64, 768, 3072} {
			p := newProblem(rng, 32, k, 32, 0, false, false)
			thirds, singles := p.off(p.byThirds(s, false, ThirdsRows, p.n)), p.off(p.run(s, false))
			t.Logf("k %d: off by %.3g, one by one by %.3g", k, thirds, singles)
			if !(thirds <= singles) {
				t.Errorf("k %d: sums are off by %.3g, one by one by %.3g", k, thirds, singles)
			}
		}
	})
}

// off is the root of the mean squared error of a product.
func (p problem) off(c []float32) float64 {
	var squares float64
	for i := range p.rows {
		for j := range p.n {
			var want float64
			for k := range p.k {
				want += float64(p.a.Data[i*p.a.Row+k*p.a.Col]) * float64(p.b.Data[k*p.b.Row+j*p.b.Col])
			}
			e := float64(c[i*p.rowC+j]) - want
			squares += e * e
		}
	}
	return math.Sqrt(squares / float64(p.rows*p.n))
}

// TestThirdsPassNaN: what is no number reaches the sums that it is part of, and no others.
func TestThirdsPassNaN(t *testing.T) {
	eachUnit(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(17, 18))
		for _, odd := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			p := newProblem(rng, 40, 100, 40, 0, false, false)
			p.a.Data[3*p.a.Row+50] = float32(odd)
			got := p.byThirds(s, false, ThirdsRows, p.n)
			for i := range p.rows {
				for j := range p.n {
					if v := got[i*p.rowC+j]; (v != v) != (i == 3) {
						t.Fatalf("%g in row 3: C[%d,%d] is %g", odd, i, j, v)
					}
				}
			}
		}
	})
}
