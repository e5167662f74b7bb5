package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// halves draws halves of every exponent; one in rare is infinite or no number. They
// start off any alignment.
func halves(rng *rand.Rand, n, rare int) []uint16 {
	shift := rng.IntN(lanesMost)
	x := make([]uint16, n+shift)[shift:]
	for i := range x {
		x[i] = uint16(rng.Uint32())
		if x[i]&0x7c00 == 0x7c00 && (rare == 0 || rng.IntN(rare) > 0) {
			x[i] &^= 0x4000
		}
	}
	return x
}

// TestWidenIsExact widens every half, and compares with what its sign, exponent and
// fraction say.
func TestWidenIsExact(t *testing.T) {
	all := make([]uint16, 1<<16)
	for i := range all {
		all[i] = uint16(i)
	}
	eachSet(t, func(t *testing.T, s, twin *Set) {
		got, want := make([]float32, len(all)), make([]float32, len(all))
		s.Widen(got, all)
		twin.Widen(want, all)
		for i, h := range all {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Fatalf("%#04x is %g, the twin's is %g", h, got[i], want[i])
			}
			exponent, fraction := int(h>>10&31), float64(h&1023)
			truth := math.Ldexp(1024+fraction, exponent-25)
			switch {
			case exponent == 31 && fraction > 0:
				truth = math.NaN()
			case exponent == 31:
				truth = math.Inf(1)
			case exponent == 0:
				truth = math.Ldexp(fraction, -24)
			}
			if v := float64(got[i]); math.Abs(v) != truth && !(math.IsNaN(v) && math.IsNaN(truth)) || math.Signbit(v) != (h>>15 == 1) {
				t.Fatalf("%#04x is %g, want ±%g", h, v, truth)
			}
		}
	})
}

func TestWidenIsItsTwin(t *testing.T) {
	eachSet(t, func(t *testing.T, s, twin *Set) {
		rng := rand.New(rand.NewPCG(11, 12))
		for _, n := range sizes() {
			x := halves(rng, n, 2)
			got, want := make([]float32, n+1), make([]float32, n+1)
			s.Widen(got[:n], x)
			twin.Widen(want[:n], x)
			if !sameBits(got, want) {
				t.Errorf("%d values differ from the twin's", n)
			}
		}
	})
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// halfProblem is a problem whose B is of halves, packed, and the same with its values
// as float32s.
func halfProblem(rng *rand.Rand, rows, k, n, rare int, transposeB bool) (half Packed, wide problem) {
	wide = newProblem(rng, rows, k, n, 0, rng.IntN(2) == 0, transposeB)
	b := MatrixOf[uint16]{halves(rng, k*n, rare), wide.b.Row, wide.b.Col}
	half.Halves = make([]uint16, PackedLen(k, n))
	for panel := range (n + PanelWidth - 1) / PanelWidth {
		PackPanel(portable(), half.Halves, b, k, n, panel)
	}
	portable().Widen(wide.packed.Floats, half.Halves)
	return half, wide
}

// checkHalves holds the bits of a product with halves against those of the product with
// their values.
func checkHalves(t *testing.T, s *Set, half Packed, wide problem, add bool) {
	t.Helper()
	want := wide.run(s, add)
	wide.packed = half
	for i, got := range wide.run(s, add) {
		if math.Float32bits(got) != math.Float32bits(want[i]) && !(got != got && want[i] != want[i]) {
			t.Fatalf("%d×%d×%d, add %v: value %d is %g, of the halves widened it is %g", wide.rows, wide.k, wide.n, add, i, got, want[i])
		}
	}
}

func TestHalfProductIsTheWidenedOne(t *testing.T) {
	eachSet(t, func(t *testing.T, s, _ *Set) {
		rng := rand.New(rand.NewPCG(13, 14))
		for _, rows := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 25, 50} {
			for _, k := range []int{0, 1, 2, 7, 64, 257, 600} {
				for _, n := range []int{0, 1, 15, 16, 17, 31, 32, 33, 48, 64, 70} {
					if rows*k*n > 300_000 {
						continue
					}
					half, wide := halfProblem(rng, rows, k, n, rng.IntN(2)*50, rng.IntN(2) == 0)
					checkHalves(t, s, half, wide, rng.IntN(2) == 0)
				}
			}
		}
	})
}

// TestPackTransposed packs columns in their own memory.
func TestPackTransposed(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	for _, k := range []int{1, 5, 64} {
		for _, n := range []int{1, 31, 32, 33, 70, 96} {
			b := MatrixOf[uint16]{halves(rng, k*n, 2), 1, k}
			want, got := make([]uint16, PackedLen(k, n)), make([]uint16, PackedLen(k, n))
			copy(got, b.Data)
			for panel := range (n + PanelWidth - 1) / PanelWidth {
				PackPanel(portable(), want, b, k, n, panel)
				PackTransposed(portable(), got, k, n, panel, make([]uint16, PanelWidth*k))
			}
			if !slices.Equal(got, want) {
				t.Errorf("a matrix %d×%d is packed otherwise in its own memory", k, n)
			}
		}
	}
}

func FuzzHalfProduct(f *testing.F) {
	f.Add(uint64(1), uint8(5), uint16(33), uint8(47), uint8(3))
	f.Add(uint64(2), uint8(1), uint16(257), uint8(70), uint8(6))
	f.Fuzz(func(t *testing.T, seed uint64, rows uint8, k uint16, n, flags uint8) {
		rng := rand.New(rand.NewPCG(seed, 0))
		half, wide := halfProblem(rng, int(rows%30), int(k%600), int(n%100), int(flags>>3)*10, flags&2 != 0)
		for _, s := range Sets() {
			checkHalves(t, s, half, wide, flags&4 != 0)
		}
	})
}

// BenchmarkHalfProduct multiplies with a matrix as large as GPT-2's table of tokens,
// which comes from memory: few rows take as long as it takes to read.
func BenchmarkHalfProduct(b *testing.B) {
	const k, n = 768, 50_257
	rng := rand.New(rand.NewPCG(1, 1))
	half, wide := halfProblem(rng, 16, k, n, 0, false)
	for _, s := range Sets() {
		for _, rows := range []int{1, 4, 8, 16} {
			for name, packed := range map[string]Packed{"halves": half, "float32s": wide.packed} {
				b.Run(fmt.Sprintf("%s/%d/%s", s.Name, rows, name), func(b *testing.B) {
					for b.Loop() {
						s.Multiply(wide.c, wide.rowC, Segments{Matrix: wide.a}, packed, rows, k, 0, n, Ends{})
					}
					b.ReportMetric(float64(2*len(packed.Halves)+4*len(packed.Floats))*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GB/s")
				})
			}
		}
	}
}
