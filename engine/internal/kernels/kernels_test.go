package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sizes are lengths around those of vectors and blocks.
func sizes() []int {
	n := []int{127, 128, 129, 768, 1000, 3072, 4095, 4096, 4097, 9001}
	for i := range 70 {
		n = append(n, i)
	}
	return n
}

// special are values that rules of arithmetic turn on.
func special() []float32 {
	inf := float32(math.Inf(1))
	return []float32{float32(math.NaN()), inf, -inf, 0, float32(math.Copysign(0, -1)), 1e-45, -1e-45,
		math.MaxFloat32, -math.MaxFloat32, 1, -1, 88.72283, -87.336545, 1e30, -1e-30}
}

// values draws n values; one in rare is special. They start off any alignment.
func values(rng *rand.Rand, n, rare int) []float32 {
	shift := rng.IntN(lanesMost)
	x := make([]float32, n+shift)[shift:]
	odd := special()
	for i := range x {
		x[i] = float32(rng.NormFloat64() * 3)
		if rare > 0 && rng.IntN(rare) == 0 {
			x[i] = odd[rng.IntN(len(odd))]
		}
	}
	return x
}

// near tells whether two results agree within a relative tolerance, NaN, zero and
// infinity included.
func near(a, b float32, tolerance float64) bool {
	if a == b || a != a && b != b {
		return true
	}
	return math.Abs(float64(a)-float64(b)) <= tolerance*max(math.Abs(float64(a)), math.Abs(float64(b)))
}

func compare(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	for i := range want {
		// The smallest results may be flushed to 0.
		if !near(got[i], want[i], tolerance) && !(tolerance > 0 && math.Abs(float64(got[i]-want[i])) < 2e-38) {
			t.Fatalf("%s: value %d of %d is %g, the twin's is %g", what, i, len(want), got[i], want[i])
		}
	}
}

// eachSet runs a test on every set of this processor beside the portable one. A set with a
// matrix unit has the kernels of the next; see [eachUnit].
func eachSet(t *testing.T, test func(t *testing.T, s, twin *Set)) {
	for _, s := range Sets() {
		if s.HasThirds() {
			continue
		}
		t.Run(s.Name, func(t *testing.T) { test(t, s, portable()) })
	}
}

var unaries = []struct {
	name      string
	run       func(s *Set, y, x []float32)
	tolerance float64
	truth     func(float64) float64
	bound     float64 // of the error against truth
}{
	{"neg", (*Set).Neg, 0, func(x float64) float64 { return -x }, 0},
	{"abs", (*Set).Abs, 0, math.Abs, 0},
	{"sqrt", (*Set).Sqrt, 0, math.Sqrt, 6e-8},
	{"exp", (*Set).Exp, 4e-7, math.Exp, 3e-7},
	{"logistic", (*Set).Logistic, 4e-7, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 3e-7},
	{"tanh", (*Set).Tanh, 4e-7, math.Tanh, 3e-7},
	{"erf", (*Set).Erf, 5e-7, math.Erf, 3.5e-7},
}

var binaries = []struct {
	name string
	run  func(s *Set, y, a, b []float32)
}{
	{"add", (*Set).Add}, {"sub", (*Set).Sub}, {"mul", (*Set).Mul}, {"div", (*Set).Div},
	{"max", (*Set).Max}, {"min", (*Set).Min},
}

func TestElementwiseIsItsTwin(t *testing.T) {
	eachSet(t, func(t *testing.T, s, twin *Set) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, n := range sizes() {
			a, b := values(rng, n, 5), values(rng, n, 5)
			got, want := make([]float32, n), make([]float32, n)
			for _, test := range unaries {
				test.run(s, got, a)
				test.run(twin, want, a)
				compare(t, test.name, got, want, test.tolerance)
			}
			for _, test := range binaries {
				test.run(s, got, a, b)
				test.run(twin, want, a, b)
				compare(t, test.name, got, want, 0)
				inPlace := slices.Clone(a)
				test.run(s, inPlace, inPlace, b)
				compare(t, test.name+" in place", inPlace, want, 0)
			}
			condition := make([]bool, n)
			for i := range condition {
				condition[i] = rng.IntN(2) == 0
			}
			s.Where(got, condition, a, b)
			twin.Where(want, condition, a, b)
			compare(t, "where", got, want, 0)
		}
	})
}

// TestAccuracy holds the stated bounds against float64 over every 997th float32
// of both signs, and over a dense stretch where functions bend.
func TestAccuracy(t *testing.T) {
	xs := special()
	for bits := uint32(0); bits < 0x7f800000; bits += 997 {
		x := math.Float32frombits(bits)
		xs = append(xs, x, -x)
	}
	for i := -1_000_000; i < 1_000_000; i++ {
		xs = append(xs, float32(i)*1e-4)
	}
	eachSet(t, func(t *testing.T, s, _ *Set) {
		ys := make([]float32, len(xs))
		for _, test := range unaries {
			test.run(s, ys, xs)
			worst, at := 0.0, float32(0)
			for i, x := range xs {
				want := test.truth(float64(x))
				if near(ys[i], float32(want), 0) || math.Abs(want) < 1.8e-38 && math.Abs(float64(ys[i])) < 1.8e-38 {
					continue
				}
				if e := math.Abs(float64(ys[i])-want) / math.Abs(want); !(e <= worst) {
					worst, at = e, x
				}
			}
			if t.Logf("%s: largest relative error %.3g at %g", test.name, worst, at); !(worst <= test.bound) {
				t.Errorf("%s: relative error %g at %g, want at most %g", test.name, worst, at, test.bound)
			}
		}
	})
}

// TestBounded holds what networks lean on: 1±tanh and 1±erf are never negative,
// and 0 far out.
func TestBounded(t *testing.T) {
	eachSet(t, func(t *testing.T, s, _ *Set) {
		var x, y [4000]float32
		for i := range x {
			x[i] = float32(i-2000) / 100
		}
		for name, f := range map[string]func(s *Set, y, x []float32){"tanh": (*Set).Tanh, "erf": (*Set).Erf} {
			f(s, y[:], x[:])
			for i, v := range y {
				if v > 1 || v < -1 || x[i] > 10 && v != 1 || x[i] < -10 && v != -1 {
					t.Errorf("%s(%g) = %.9g", name, x[i], v)
				}
			}
		}
	})
}

func TestRowsAreTheirTwins(t *testing.T) {
	eachSet(t, func(t *testing.T, s, twin *Set) {
		rng := rand.New(rand.NewPCG(3, 4))
		for _, n := range sizes() {
			for _, rare := range []int{0, 9} {
				x := values(rng, n, rare)
				if got, want := s.Sum(x), twin.Sum(x); !near(got, want, 0) {
					t.Errorf("sum of %d: %g, the twin's is %g", n, got, want)
				}
				if got, want := s.Largest(x), twin.Largest(x); !near(got, want, 0) {
					t.Errorf("maximum of %d: %g, the twin's is %g", n, got, want)
				}
				rows := slices.Concat(x, x[:n])
				got, want := make([]float32, 2*n), make([]float32, 2*n)
				s.Softmax(got, rows, n)
				twin.Softmax(want, rows, n)
				compare(t, fmt.Sprintf("softmax of %d", n), got, want, 2e-6)
				gain, bias := values(rng, n, 0), values(rng, n, 0)
				if rare > 0 {
					continue
				}
				s.LayerNorm(got, rows, gain, bias, 1e-5)
				twin.LayerNorm(want, rows, gain, bias, 1e-5)
				for i := range got {
					if math.Abs(float64(got[i]-want[i])) > 2e-5 {
						t.Fatalf("layer norm of %d: value %d is %g, the twin's is %g", n, i, got[i], want[i])
					}
				}
			}
		}
	})
}

// TestSumIsPairwise: a running sum of as many values would be off by a percent.
func TestSumIsPairwise(t *testing.T) {
	x := make([]float32, 1<<22)
	truth := 0.0
	for i := range x {
		x[i] = 0.1 + float32(i%7)/1000
		truth += float64(x[i])
	}
	eachSet(t, func(t *testing.T, s, _ *Set) {
		if got := s.Sum(x); math.Abs(float64(got)-truth) > 1e-6*truth {
			t.Errorf("sum %g, want %g", got, truth)
		}
	})
}

func TestChoose(t *testing.T) {
	for _, s := range Sets() {
		if got, err := Choose(s.Name); err != nil || got.Name != s.Name {
			t.Errorf("Choose(%q): %v, %v", s.Name, got, err)
		}
	}
	if got, err := Choose(""); err != nil || got.Name != Sets()[0].Name {
		t.Errorf("the default is %v, %v", got, err)
	}
	if _, err := Choose("mmx"); err == nil {
		t.Error("an unknown set is chosen")
	}
}

func BenchmarkLayerNorm(b *testing.B) {
	for _, s := range Sets() {
		b.Run(s.Name, func(b *testing.B) {
			const rows, width = 8, 768
			rng := rand.New(rand.NewPCG(1, 1))
			x, gain, bias := values(rng, rows*width, 0), values(rng, width, 0), values(rng, width, 0)
			y := make([]float32, len(x))
			for b.Loop() {
				s.LayerNorm(y, x, gain, bias, 1e-5)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
		})
	}
}

// TestSumOfPieces: the bits of a sum do not depend on the pieces that its values come in.
func TestSumOfPieces(t *testing.T) {
	eachSet(t, func(t *testing.T, s, _ *Set) {
		rng := rand.New(rand.NewPCG(19, 20))
		for _, n := range sizes() {
			x := values(rng, n, 0)
			for _, piece := range []int{32, 96, 1024, 5000} {
				got := s.SumOf(n, func(from, most int) []float32 { return x[from : from+min(most, piece)] })
				if want := s.Sum(x); got != want {
					t.Fatalf("%d values in pieces of %d: %g, want %g", n, piece, got, want)
				}
			}
		}
	})
}
