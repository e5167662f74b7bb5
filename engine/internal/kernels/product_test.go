package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// problem is a product of random matrices, A stored with any strides.
type problem struct {
	rows, k, n int
	a          Matrix
	b          Matrix
	packed     Packed
	c          []float32 // what C holds before, with rowC values a row
	rowC       int
}

func newProblem(rng *rand.Rand, rows, k, n, rare int, transposeA, transposeB bool) problem {
	p := problem{rows: rows, k: k, n: n, rowC: n + rng.IntN(5)}
	p.a = Matrix{values(rng, rows*k, rare), k, 1}
	if transposeA {
		p.a.Row, p.a.Col = 1, rows
	}
	p.b = Matrix{values(rng, k*n, rare), n, 1}
	if transposeB {
		p.b.Row, p.b.Col = 1, k
	}
	p.packed.Floats = make([]float32, PackedLen(k, n))
	for panel := range (n + PanelWidth - 1) / PanelWidth {
		PackPanel(portable(), p.packed.Floats, p.b, k, n, panel)
	}
	p.c = values(rng, rows*p.rowC, 0)
	return p
}

func (p problem) run(s *Set, add bool) []float32 {
	c := slices.Clone(p.c)
	s.Multiply(c, p.rowC, Segments{Matrix: p.a}, p.packed, p.rows, p.k, 0, p.n, onto(c, p.rowC, add))
	return c
}

// onto are the ends of C += A·B if add, else of C = A·B.
func onto(c []float32, rowC int, add bool) Ends {
	if !add {
		return Ends{}
	}
	return Ends{From: Lines{c, rowC}}
}

// runPlain is run with B as it lies.
func (p problem) runPlain(s *Set, add bool) []float32 {
	c := slices.Clone(p.c)
	s.MultiplyPlain(c, p.rowC, Segments{Matrix: p.a}, p.b, p.rows, p.k, 0, p.n, onto(c, p.rowC, add), make([]float32, p.k*PanelWidth), nil)
	return c
}

// check compares with a sum in float64, and what lies beside C with what was there.
func (p problem) check(t *testing.T, s *Set, add bool) {
	t.Helper()
	got := p.run(s, add)
	if !slices.Equal(got, p.runPlain(s, add)) {
		t.Fatalf("%d×%d×%d, add %v: the bits differ where B is not packed", p.rows, p.k, p.n, add)
	}
	p.compare(t, got, add)
}

// compare is check for a result.
func (p problem) compare(t *testing.T, got []float32, add bool) {
	t.Helper()
	for i := range p.rows {
		for j := range p.rowC {
			before := float64(p.c[i*p.rowC+j])
			want, scale := before, 0.0
			if j < p.n {
				if !add {
					want = 0
				}
				scale = math.Abs(want)
				for k := range p.k {
					v := float64(p.a.Data[i*p.a.Row+k*p.a.Col]) * float64(p.b.Data[k*p.b.Row+j*p.b.Col])
					want, scale = want+v, scale+math.Abs(v)
				}
			}
			if e := math.Abs(float64(got[i*p.rowC+j]) - want); !(e <= 1e-6*scale) {
				t.Fatalf("%d×%d×%d, add %v: C[%d,%d] = %g, want %g", p.rows, p.k, p.n, add, i, j, got[i*p.rowC+j], want)
			}
		}
	}
}

func TestProduct(t *testing.T) {
	eachSet(t, func(t *testing.T, s, _ *Set) {
		rng := rand.New(rand.NewPCG(5, 6))
		for _, rows := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 25, 50} {
			for _, k := range []int{0, 1, 2, 7, 64, 257, 600} {
				for _, n := range []int{0, 1, 15, 16, 17, 31, 32, 33, 48, 64, 70} {
					if rows*k*n > 300_000 {
						continue
					}
					p := newProblem(rng, rows, k, n, 0, rng.IntN(2) == 0, rng.IntN(2) == 0)
					p.check(t, s, rng.IntN(2) == 0)
				}
			}
		}
	})
}

// TestProductPassesNaN: infinities and NaN reach the sums that they are part of,
// and no others.
func TestProductPassesNaN(t *testing.T) {
	eachSet(t, func(t *testing.T, s, twin *Set) {
		rng := rand.New(rand.NewPCG(7, 8))
		for range 50 {
			p := newProblem(rng, 1+rng.IntN(14), 1+rng.IntN(40), 1+rng.IntN(70), 100, false, false)
			for _, m := range [][]float32{p.a.Data, p.packed.Floats} {
				for i, v := range m {
					// Fused and separate products and sums overflow in different places.
					if math.Abs(float64(v)) > 1e20 && math.Abs(float64(v)) <= math.MaxFloat32 {
						m[i] = 1
					}
				}
			}
			got, want := p.run(s, false), p.run(twin, false)
			for i := range got {
				a, b := float64(got[i]), float64(want[i])
				if math.IsNaN(a) != math.IsNaN(b) || math.IsInf(a, 1) != math.IsInf(b, 1) || math.IsInf(a, -1) != math.IsInf(b, -1) {
					t.Fatalf("value %d is %g, the twin's is %g", i, a, b)
				}
			}
		}
	})
}

// TestProductOfSegments: where the segments and groups of A lie makes no difference.
func TestProductOfSegments(t *testing.T) {
	eachSet(t, func(t *testing.T, s, _ *Set) {
		rng := rand.New(rand.NewPCG(11, 12))
		for _, shape := range []struct{ rows, k, row, width, jump, height, drop int }{
			{1, 15, 5, 5, 5, 0, 0}, {2, 900, 300, 300, 700, 0, 0}, {7, 288, 96, 96, 40, 0, 0},
			{13, 578, 289, 289, 1000, 0, 0}, {50, 2304, 768, 768, 300, 0, 0},
			{49, 300, 40, 100, 900, 7, 400}, {50, 300, 300, 0, 0, 14, 5000}, {12, 64, 64, 0, 0, 5, 1000}, {30, 600, 9, 300, 20, 28, 11},
		} {
			p := newProblem(rng, shape.rows, shape.k, 70, 0, false, false)
			apart := Segments{Matrix{nil, shape.row, 1}, shape.width, shape.jump, shape.height, shape.drop}
			place := func(i, k int) int {
				at := i*shape.row + k
				if shape.height > 0 {
					at = i/shape.height*shape.drop + i%shape.height*shape.row + k
				}
				if shape.width > 0 {
					at += k/shape.width*shape.jump - k/shape.width*shape.width
				}
				return at
			}
			most := 0
			for i := range shape.rows {
				most = max(most, place(i, p.k-1))
			}
			apart.Data = values(rng, most+1, 0)
			for i := range shape.rows {
				for k := range p.k {
					p.a.Data[i*p.k+k] = apart.Data[place(i, k)]
				}
			}
			packed, plain, want := slices.Clone(p.c), slices.Clone(p.c), p.run(s, true)
			s.Multiply(packed, p.rowC, apart, p.packed, p.rows, p.k, 0, p.n, onto(packed, p.rowC, true))
			s.MultiplyPlain(plain, p.rowC, apart, p.b, p.rows, p.k, 0, p.n, onto(plain, p.rowC, true), make([]float32, p.k*PanelWidth), nil)
			if !slices.Equal(packed, want) || !slices.Equal(plain, want) {
				t.Errorf("%+v: other bits", shape)
			}
		}
	})
}

// TestProductIsItsParts: the bits do not depend on how rows and columns are cut.
func TestProductIsItsParts(t *testing.T) {
	eachSet(t, func(t *testing.T, s, _ *Set) {
		p := newProblem(rand.New(rand.NewPCG(9, 10)), 37, 700, 100, 0, false, true)
		whole := p.run(s, true)
		parts := slices.Clone(p.c)
		for _, cut := range []struct{ row, rows, col, cols int }{
			{0, 1, 0, 100}, {1, 13, 0, 64}, {1, 13, 64, 36}, {14, 23, 0, 32}, {14, 23, 32, 68},
		} {
			a, c := Matrix{p.a.Data[cut.row*p.a.Row:], p.a.Row, p.a.Col}, parts[cut.row*p.rowC:]
			s.Multiply(c, p.rowC, Segments{Matrix: a}, p.packed, cut.rows, p.k, cut.col, cut.cols, onto(c, p.rowC, true))
		}
		if !slices.Equal(whole, parts) {
			t.Error("the parts differ from the whole")
		}
	})
}

func TestProductRefusesShortSlices(t *testing.T) {
	eachSet(t, func(t *testing.T, s, _ *Set) {
		p := newProblem(rand.New(rand.NewPCG(1, 1)), 4, 8, 32, 0, false, false)
		for name, call := range map[string]func(){
			"A": func() {
				s.Multiply(p.c, p.rowC, Segments{Matrix: Matrix{p.a.Data[:31], 8, 1}}, p.packed, 4, 8, 0, 32, Ends{})
			},
			"A in groups": func() { // the first of which ends behind the last
				a := Segments{Matrix: Matrix{p.a.Data[:23], 8, 1}, Height: 3, Drop: 1}
				s.Multiply(p.c, p.rowC, a, p.packed, 4, 8, 0, 32, Ends{})
			},
			"B": func() {
				s.Multiply(p.c, p.rowC, Segments{Matrix: p.a}, Packed{Floats: p.packed.Floats[:255]}, 4, 8, 0, 32, Ends{})
			},
			"C": func() { s.Multiply(p.c[:3*p.rowC+31], p.rowC, Segments{Matrix: p.a}, p.packed, 4, 8, 0, 32, Ends{}) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("a short %s is read beyond its end", name)
					}
				}()
				call()
			}()
		}
	})
}

func TestUnpackColumn(t *testing.T) {
	p := newProblem(rand.New(rand.NewPCG(2, 3)), 1, 5, 70, 0, false, true)
	y := make([]float32, p.k)
	for j := range p.n {
		if UnpackColumn(y, p.packed.Floats, p.k, j); !slices.Equal(y, p.b.Data[j*p.k:(j+1)*p.k]) {
			t.Fatalf("column %d is %v", j, y)
		}
	}
}

func FuzzProduct(f *testing.F) {
	f.Add(uint64(1), uint8(5), uint16(33), uint8(47), uint8(3))
	f.Fuzz(func(t *testing.T, seed uint64, rows uint8, k uint16, n, flags uint8) {
		rng := rand.New(rand.NewPCG(seed, 0))
		p := newProblem(rng, int(rows%30), int(k%600), int(n%100), 0, flags&1 != 0, flags&2 != 0)
		for _, s := range Sets() {
			p.check(t, s, flags&4 != 0)
		}
	})
}

func FuzzElementwise(f *testing.F) {
	f.Add(uint64(1), uint16(33))
	f.Fuzz(func(t *testing.T, seed uint64, size uint16) {
		rng, n := rand.New(rand.NewPCG(seed, 0)), int(size%3000)
		a, b := values(rng, n, 4), values(rng, n, 4)
		got, want := make([]float32, n), make([]float32, n)
		for _, s := range Sets() {
			for _, test := range unaries {
				test.run(s, got, a)
				test.run(portable(), want, a)
				compare(t, s.Name+" "+test.name, got, want, test.tolerance)
			}
			for _, test := range binaries {
				test.run(s, got, a, b)
				test.run(portable(), want, a, b)
				compare(t, s.Name+" "+test.name, got, want, 0)
			}
		}
	})
}

// BenchmarkProduct multiplies with the matrices of a block 768 wide, one core.
func BenchmarkProduct(b *testing.B) {
	for _, s := range Sets() {
		for _, rows := range []int{1, 8, 16, 50, 400} {
			b.Run(fmt.Sprintf("%s/%d", s.Name, rows), func(b *testing.B) {
				const k, n = 768, 3072
				p := newProblem(rand.New(rand.NewPCG(1, 1)), rows, k, n, 0, false, false)
				for b.Loop() {
					for row := 0; row < rows; row += 96 {
						part := min(96, rows-row)
						for col := 0; col < n; col += 128 {
							s.Multiply(p.c[row*p.rowC:], p.rowC, Segments{Matrix: Matrix{p.a.Data[row*k:], k, 1}}, p.packed, part, k, col, 128, Ends{})
						}
					}
				}
				b.ReportMetric(2*float64(rows*k*n)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
			})
		}
	}
}

func BenchmarkExp(b *testing.B) {
	for _, s := range Sets() {
		b.Run(s.Name, func(b *testing.B) {
			x, y := values(rand.New(rand.NewPCG(1, 1)), 3072, 0), make([]float32, 3072)
			for b.Loop() {
				s.Exp(y, x)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/3072, "ns/value")
		})
	}
}
