package kernels

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// plainEnds does what ends say by operators, from a product that has its beginning already.
func plainEnds(c []float32, rowC, rows, cols int, ends Ends) {
	for i := range rows {
		for j := range cols {
			v := &c[i*rowC+j]
			if ends.Plus.Data != nil {
				*v += ends.Plus.Data[i*ends.Plus.Row+j]
			}
			if ends.Rectify {
				*v = max(*v, 0)
			}
		}
	}
}

// checkEnds holds a product with both ends against one without the second, and one that
// begins with C's values against one that begins with others.
func checkEnds(t *testing.T, s *Set, rng *rand.Rand, half Packed, p problem) {
	t.Helper()
	for _, ends := range []Ends{
		{From: Lines{values(rng, p.n, 0), 0}},
		{From: Lines{values(rng, p.n, 0), 0}, Plus: Lines{values(rng, p.rows*p.n, 3), p.n}, Rectify: true},
		{Plus: Lines{values(rng, p.rows*(p.n+3), 0), p.n + 3}},
		{From: Lines{values(rng, p.rows*p.n, 3), p.n}, Rectify: true},
		{Rectify: true},
	} {
		want := slices.Clone(p.c)
		for i := range p.rows {
			for j := range p.n {
				if want[i*p.rowC+j] = 0; ends.From.Data != nil {
					want[i*p.rowC+j] = ends.From.Data[i*ends.From.Row+j]
				}
			}
		}
		wide := p
		wide.c = want
		want = wide.run(s, true)
		plainEnds(want, p.rowC, p.rows, p.n, ends)
		got, plain, halved := slices.Clone(p.c), slices.Clone(p.c), slices.Clone(p.c)
		a := Segments{Matrix: p.a}
		s.Multiply(got, p.rowC, a, p.packed, p.rows, p.k, 0, p.n, ends)
		s.MultiplyPlain(plain, p.rowC, a, p.b, p.rows, p.k, 0, p.n, ends, make([]float32, p.k*PanelWidth), nil)
		s.Multiply(halved, p.rowC, a, half, p.rows, p.k, 0, p.n, ends)
		what := fmt.Sprintf("%s %d×%d×%d, from %v, plus %v, rectify %v", s.Name, p.rows, p.k, p.n, ends.From.Data != nil, ends.Plus.Data != nil, ends.Rectify)
		compare(t, what, got, want, 0)
		compare(t, what+", B not packed", plain, want, 0)
		compare(t, what+", halves", halved, want, 0)
	}
}

// halved is a problem whose values of B are those of halves, and the halves.
func halved(rng *rand.Rand, rows, k, n int) (Packed, problem) {
	half, wide := halfProblem(rng, rows, k, n, 0, rng.IntN(2) == 0)
	y := make([]float32, k)
	for j := range n * min(1, k) {
		UnpackColumn(y, wide.packed.Floats, k, j)
		for i, v := range y {
			wide.b.Data[i*wide.b.Row+j*wide.b.Col] = v
		}
	}
	return half, wide
}

func TestEndsAreOperators(t *testing.T) {
	eachSet(t, func(t *testing.T, s, _ *Set) {
		rng := rand.New(rand.NewPCG(17, 18))
		for _, rows := range []int{1, 2, 3, 8, 12, 13, 30} {
			for _, k := range []int{0, 1, 64, 600} {
				for _, n := range []int{1, 16, 31, 32, 70} {
					half, p := halved(rng, rows, k, n)
					checkEnds(t, s, rng, half, p)
				}
			}
		}
	})
}

func TestEndsRefuseShortSlices(t *testing.T) {
	eachSet(t, func(t *testing.T, s, _ *Set) {
		p := newProblem(rand.New(rand.NewPCG(1, 1)), 4, 8, 32, 0, false, false)
		short := Lines{make([]float32, 4*32-1), 32}
		for name, ends := range map[string]Ends{"From": {From: short}, "Plus": {Plus: short}, "bias": {From: Lines{make([]float32, 31), 0}}} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("a short %s is read beyond its end", name)
					}
				}()
				s.Multiply(p.c, p.rowC, Segments{Matrix: p.a}, p.packed, 4, 8, 0, 32, ends)
			}()
		}
	})
}

func FuzzEnds(f *testing.F) {
	f.Add(uint64(1), uint8(5), uint16(33), uint8(47))
	f.Fuzz(func(t *testing.T, seed uint64, rows uint8, k uint16, n uint8) {
		rng := rand.New(rand.NewPCG(seed, 0))
		half, p := halved(rng, int(rows%30), int(k%600), int(n%100))
		for _, s := range Sets() {
			checkEnds(t, s, rng, half, p)
		}
	})
}
