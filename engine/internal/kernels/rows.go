package kernels

import "math"

// partials is the number of running values of a reduction over a row.
const partials = 32

// block is how many values are added up before the sums of blocks are added in
// pairs, which keeps the error of a long sum at that of a short one.
const block = 4096

// Sum adds up x, in pairs of blocks.
func (s *Set) Sum(x []float32) float32 {
	spare := s.spare.Get().(*spare)
	defer s.spare.Put(spare)
	return s.sumOf(x, spare)
}

// SumOf is Sum of n values that come in pieces: values has those from a place on, at most so
// many as are wanted, and where these are fewer a multiple of 32.
func (s *Set) SumOf(n int, values func(from, most int) []float32) float32 {
	spare := s.spare.Get().(*spare)
	defer s.spare.Put(spare)
	return s.sumOfPieces(0, n, values, spare)
}

func (s *Set) sumOfPieces(from, n int, values func(from, most int) []float32, spare *spare) float32 {
	if half := halfOf(n); half > 0 {
		return s.sumOfPieces(from, half, values, spare) + s.sumOfPieces(from+half, n-half, values, spare)
	}
	clear(spare.partial[:])
	for n > 0 {
		x := values(from, n)
		s.addPartials(x, spare)
		from, n = from+len(x), n-len(x)
	}
	return s.fold(&spare.partial)
}

func (s *Set) sumOf(x []float32, spare *spare) float32 {
	if half := halfOf(len(x)); half > 0 {
		return s.sumOf(x[:half], spare) + s.sumOf(x[half:], spare)
	}
	clear(spare.partial[:])
	s.addPartials(x, spare)
	return s.fold(&spare.partial)
}

// halfOf is where n values are parted, 0 for those of one block.
func halfOf(n int) int {
	if n <= block {
		return 0
	}
	return (n/block + 1) / 2 * block
}

// addPartials adds a block, or the next part of one, to the running sums.
func (s *Set) addPartials(x []float32, spare *spare) {
	n := len(x) &^ (partials - 1)
	if n > 0 {
		s.sum(&spare.partial[0], &x[0], n)
	}
	if n < len(x) {
		clear(spare.a[copy(spare.a[:], x[n:]):])
		s.sum(&spare.partial[0], &spare.a[0], partials)
	}
}

// fold adds the running sums in pairs.
func (s *Set) fold(p *[partials]float32) float32 {
	width := partials / 2
	for ; width >= s.lanes; width /= 2 {
		s.add(&p[0], &p[0], &p[width], width)
	}
	return fold(p[:max(1, 2*width)])
}

// fold adds up p in pairs, value by value; its length is a power of two.
func fold(p []float32) float32 {
	for width := len(p) / 2; width > 0; width /= 2 {
		for j := range width {
			p[j] += p[j+width]
		}
	}
	return p[0]
}

// Largest is the maximum of x, NaN if any value is; −∞ for none.
func (s *Set) Largest(x []float32) float32 {
	spare := s.spare.Get().(*spare)
	defer s.spare.Put(spare)
	fill(spare.partial[:], float32(math.Inf(-1)))
	n := len(x) &^ (partials - 1)
	if n > 0 {
		s.largest(&spare.partial[0], &x[0], n)
	}
	if n < len(x) {
		fill(spare.a[copy(spare.a[:], x[n:]):], float32(math.Inf(-1)))
		s.largest(&spare.partial[0], &spare.a[0], partials)
	}
	p, width := &spare.partial, partials/2
	for ; width >= s.lanes; width /= 2 {
		s.max(&p[0], &p[0], &p[width], width)
	}
	y := p[0]
	for _, v := range p[1:max(1, 2*width)] {
		y = max(y, v)
	}
	return y
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}

// Softmax is y = eˣ/Σeˣ of each of the rows of x, width values long; y may be x.
func (s *Set) Softmax(y, x []float32, width int) {
	x = x[:len(y)]
	if width%partials != 0 {
		s.softmaxOdd(y, x, width)
		return
	}
	for len(y) >= width && width > 0 {
		s.softmax(&y[0], &x[0], nil, width)
		y, x = y[width:], x[width:]
	}
}

// softmaxOdd is Softmax of rows that are not whole blocks. Their ends go through other
// memory, filled up with −∞, whose exponential is 0: those of a few rows at once, because
// a processor that reads a vector of values just written waits for all that is before.
func (s *Set) softmaxOdd(y, x []float32, width int) {
	spare := s.spare.Get().(*spare)
	defer s.spare.Put(spare)
	n := width &^ (partials - 1)
	for i := range spare.tails {
		fill(spare.tails[i][width-n:partials], float32(math.Inf(-1)))
	}
	for len(y) >= width {
		tails := spare.tails[:min(len(y)/width, len(spare.tails))]
		for i := range tails {
			copy(tails[i][:], x[i*width:][n:width])
		}
		for i := range tails {
			s.softmax(&y[i*width], &x[i*width], &tails[i][0], n)
		}
		for i := range tails {
			copy(y[i*width:][n:width], tails[i][partials:])
		}
		y, x = y[len(tails)*width:], x[len(tails)*width:]
	}
}

// LayerNorm normalises each of the rows of x to mean 0 and variance 1 (divided by
// the width, epsilon added), and applies gain and bias, whose length is the
// width. y may be x.
func (s *Set) LayerNorm(y, x, gain, bias []float32, epsilon float32) {
	spare := s.spare.Get().(*spare)
	defer s.spare.Put(spare)
	width := len(gain)
	bias = bias[:width]
	for len(y) >= width && width > 0 {
		s.layerNormRow(y[:width], x[:width], gain, bias, epsilon, spare)
		y, x = y[width:], x[width:]
	}
}

func (s *Set) layerNormRow(y, x, gain, bias []float32, epsilon float32, spare *spare) {
	mean := s.sumOf(x, spare) / float32(len(x))
	variance := s.sumSquares(x, mean, spare) / float32(len(x))
	scale := float32(1 / math.Sqrt(float64(variance+epsilon)))
	n := len(y) &^ (s.lanes - 1)
	if n > 0 {
		s.normalize(&y[0], &x[0], &gain[0], &bias[0], mean, scale, n)
	}
	if n < len(y) {
		copy(spare.a[:], x[n:])
		copy(spare.b[:], gain[n:])
		copy(spare.c[:], bias[n:])
		s.normalize(&spare.y[0], &spare.a[0], &spare.b[0], &spare.c[0], mean, scale, s.lanes)
		copy(y[n:], spare.y[:])
	}
}

// sumSquares is Σ(x−mean)².
func (s *Set) sumSquares(x []float32, mean float32, spare *spare) float32 {
	clear(spare.partial[:])
	n := len(x) &^ (partials - 1)
	if n > 0 {
		s.squares(&spare.partial[0], &x[0], mean, n)
	}
	if n < len(x) {
		fill(spare.a[copy(spare.a[:], x[n:]):], mean)
		s.squares(&spare.partial[0], &spare.a[0], mean, partials)
	}
	return s.fold(&spare.partial)
}
