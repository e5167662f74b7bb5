package kernels

import (
	"math"
	"unsafe"
)

// portable is the set of the twins: plain Go, on any processor.
func portable() *Set {
	return withSpare(Set{
		Name: "portable", lanes: 1,
		tiles:     []tile{productPortable(1), productPortable(2)},
		widen:     widenPortable,
		transpose: transposePortable,
		add:       binary(func(a, b float32) float32 { return a + b }),
		sub:       binary(func(a, b float32) float32 { return a - b }),
		mul:       binary(func(a, b float32) float32 { return a * b }),
		div:       binary(func(a, b float32) float32 { return a / b }),
		max:       binary(func(a, b float32) float32 { return max(a, b) }),
		min:       binary(func(a, b float32) float32 { return min(a, b) }),
		neg:       unary(func(x float32) float32 { return -x }),
		abs:       unary(func(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }),
		sqrt:      unary(func(x float32) float32 { return float32(math.Sqrt(float64(x))) }),
		exp:       unary(exp), logistic: unary(logistic), tanh: unary(tanh), erf: unary(erf),
		where: wherePortable, sum: sumPortable, largest: maxPortable, squares: squaresPortable,
		softmax: softmaxPortable, normalize: normalizePortable,
	})
}

func vector[T any](p *T, n int) []T { return unsafe.Slice(p, n) }

func binary(op func(a, b float32) float32) func(y, a, b *float32, n int) {
	return func(y, a, b *float32, n int) {
		ys, as, bs := vector(y, n), vector(a, n), vector(b, n)
		for i := range ys {
			ys[i] = op(as[i], bs[i])
		}
	}
}

func unary(op func(float32) float32) func(y, x *float32, n int) {
	return func(y, x *float32, n int) {
		ys, xs := vector(y, n), vector(x, n)
		for i := range ys {
			ys[i] = op(xs[i])
		}
	}
}

func wherePortable(y *float32, condition *bool, a, b *float32, n int) {
	ys, cs, as, bs := vector(y, n), vector(condition, n), vector(a, n), vector(b, n)
	for i, c := range cs {
		if c {
			ys[i] = as[i]
		} else {
			ys[i] = bs[i]
		}
	}
}

func sumPortable(partial, x *float32, n int) {
	ps := vector(partial, partials)
	for i, v := range vector(x, n) {
		ps[i%partials] += v
	}
}

func maxPortable(partial, x *float32, n int) {
	ps := vector(partial, partials)
	for i, v := range vector(x, n) {
		ps[i%partials] = max(ps[i%partials], v)
	}
}

func squaresPortable(partial, x *float32, mean float32, n int) {
	ps := vector(partial, partials)
	for i, v := range vector(x, n) {
		ps[i%partials] += (v - mean) * (v - mean)
	}
}

func softmaxPortable(y, x, tail *float32, n int) {
	xs, ys := [2][]float32{vector(x, n)}, [2][]float32{vector(y, n)}
	if tail != nil {
		ends := vector(tail, 2*partials)
		xs[1], ys[1] = ends[:partials], ends[partials:]
	}
	shift := float32(math.Inf(-1))
	for _, part := range xs {
		for _, v := range part {
			shift = max(shift, v)
		}
	}
	var sums [partials]float32
	for k, y := range ys {
		for i, v := range xs[k] {
			y[i] = exp(v - shift)
			sums[i%partials] += y[i]
		}
	}
	scale := 1 / fold(sums[:])
	for _, y := range ys {
		for i := range y {
			y[i] *= scale
		}
	}
}

func normalizePortable(y, x, gain, bias *float32, mean, scale float32, n int) {
	ys, gains, biases := vector(y, n), vector(gain, n), vector(bias, n)
	for i, v := range vector(x, n) {
		ys[i] = (v-mean)*scale*gains[i] + biases[i]
	}
}
