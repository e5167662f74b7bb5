package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// plainSoftmax is the softmax of a row, value by value, with the exponential of the
// set: the order of the sum, and so each bit, is the kernel's promise.
func plainSoftmax(s *Set, x []float32) []float32 {
	y, largest := make([]float32, len(x)), float32(math.Inf(-1))
	for _, v := range x {
		largest = max(largest, v)
	}
	for i, v := range x {
		y[i] = v - largest
	}
	s.Exp(y, y)
	var sums [partials]float32
	for i, v := range y {
		sums[i%partials] += v
	}
	for width := partials / 2; width > 0; width /= 2 {
		for j := range width {
			sums[j] += sums[j+width]
		}
	}
	scale := 1 / sums[0]
	for i := range y {
		y[i] *= scale
	}
	return y
}

// checkSoftmax computes rows as they lie between other values, elsewhere and in place.
func checkSoftmax(t *testing.T, s *Set, x []float32, width int) {
	t.Helper()
	var want []float32
	for row := range slices.Chunk(x, width) {
		want = append(want, plainSoftmax(s, row)...)
	}
	const around = 3
	inPlace := slices.Concat(make([]float32, around), x, make([]float32, around))
	elsewhere := make([]float32, len(inPlace))
	s.Softmax(elsewhere[around:][:len(x)], x, width)
	s.Softmax(inPlace[around:][:len(x)], inPlace[around:][:len(x)], width)
	want = slices.Concat(make([]float32, around), want, make([]float32, around))
	compare(t, fmt.Sprintf("%s: softmax of rows of %d", s.Name, width), elsewhere, want, 0)
	compare(t, fmt.Sprintf("%s: softmax of rows of %d in place", s.Name, width), inPlace, want, 0)
}

func TestSoftmaxIsThePlainOne(t *testing.T) {
	eachSet(t, func(t *testing.T, s, _ *Set) {
		rng := rand.New(rand.NewPCG(17, 18))
		for _, width := range sizes() {
			if width == 0 {
				continue
			}
			for _, rare := range []int{0, 1, 9, 200} {
				for _, rows := range []int{0, 1, 8, 19} {
					checkSoftmax(t, s, values(rng, rows*width, rare), width)
				}
			}
		}
	})
}

// TestSoftmaxOfExtremes holds what becomes of a row with one odd value, wherever it
// stands, between rows that have none.
func TestSoftmaxOfExtremes(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	tests := []struct{ odd, others, oddBecomes, othersBecome float32 }{
		{nan, 1, nan, nan},
		{nan, inf, nan, nan},
		{nan, -inf, nan, nan},
		{inf, 1, nan, nan},
		{inf, -inf, nan, nan},
		{-inf, -inf, nan, nan},
		{0, -inf, 1, 0},
		{-math.MaxFloat32, -inf, 1, 0},
		{math.MaxFloat32, -math.MaxFloat32, 1, 0},
		{1e30, 0, 1, 0},
	}
	eachSet(t, func(t *testing.T, s, _ *Set) {
		for _, width := range []int{1, 2, 15, 16, 17, 31, 32, 33, 50, 64, 65, 96, 100} {
			even := slices.Repeat([]float32{1}, width)
			for _, test := range tests {
				for at := range width {
					row, want := slices.Repeat([]float32{test.others}, width), slices.Repeat([]float32{test.othersBecome}, width)
					row[at], want[at] = test.odd, test.oddBecomes
					rows, share := slices.Concat(even, row, even), plainSoftmax(s, even)
					s.Softmax(rows, rows, width)
					compare(t, fmt.Sprintf("%g at %d of %d of %g", test.odd, at, width, test.others), rows, slices.Concat(share, want, share), 0)
				}
			}
		}
	})
}

// TestSoftmaxLeavesTheRest: what fills no row stays as it is.
func TestSoftmaxLeavesTheRest(t *testing.T) {
	eachSet(t, func(t *testing.T, s, _ *Set) {
		for _, width := range []int{0, 5, 32, 50} {
			x := slices.Repeat([]float32{7}, 100)
			s.Softmax(x, x, width)
			if width > 0 {
				x = x[100/width*width:]
			}
			compare(t, fmt.Sprintf("after rows of %d", width), x, slices.Repeat([]float32{7}, len(x)), 0)
		}
	})
}

func FuzzSoftmax(f *testing.F) {
	f.Add(uint64(1), uint16(31), uint8(3), uint8(0))
	f.Add(uint64(2), uint16(49), uint8(5), uint8(30))
	f.Add(uint64(3), uint16(63), uint8(2), uint8(4))
	f.Fuzz(func(t *testing.T, seed uint64, width uint16, rows, rare uint8) {
		columns := 1 + int(width%300)
		x := values(rand.New(rand.NewPCG(seed, 0)), int(rows%20)*columns, int(rare))
		for _, s := range Sets() {
			checkSoftmax(t, s, x, columns)
		}
	})
}

func BenchmarkSoftmax(b *testing.B) {
	for _, s := range Sets() {
		for _, size := range []struct{ rows, width int }{{96, 10}, {96, 32}, {96, 50}, {96, 64}, {1, 50_257}} {
			b.Run(fmt.Sprintf("%s/%d", s.Name, size.width), func(b *testing.B) {
				x := values(rand.New(rand.NewPCG(1, 1)), size.rows*size.width, 0)
				y := make([]float32, len(x))
				for b.Loop() {
					s.Softmax(y, x, size.width)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size.rows), "ns/row")
			})
		}
	}
}
