package kernels

import "math"

// The functions below do for one value what the assembly does for a vector. The
// polynomials are minimax fits of this project. math.Exp would not do: after
// vector code of others that leaves registers dirty it is a hundred times slower.

// exp is eˣ within 3e-7 relative. Results below 2⁻¹²⁵·⁵ are 0.
func exp(x float32) float32 {
	r, t := reduce(min(max(x, -87.6), 89), 1)
	return poly(r, 2, 2, 0.9999999, 0.3333286, 0.08333601, 0.01674837, 0.002768724) * exp2(t, -1)
}

// logistic is 1/(1+e⁻ˣ) within 3e-7 relative.
func logistic(x float32) float32 {
	r, t := reduce(min(max(x, -89), 87.6), -1)
	e := poly(r, 2, -2, 0.9999999, -0.3333286, 0.08333601, -0.01674837, 0.002768724) * exp2(t, -1)
	return 1 / (1 + e)
}

// tanh is within 3e-7 relative, exactly ±1 far out and never beyond. With
// m = e²ˣ−1 it is m/(m+2), and m comes from a polynomial without a constant
// term, so that nothing cancels near 0.
func tanh(x float32) float32 {
	r, t := reduce(min(max(x, -9.1), 9.1), 2)
	scale := exp2(t, 0)
	m := r*poly(r, 2, 1.9999999, 1.3333205, 0.6666742, 0.2678111, 0.08888879)*scale + (scale - 1)
	return m / (m + 2)
}

// erf is tanh(x·(1+S(x²))) within 3.5e-7 relative, exactly ±1 far out: there the
// slope of tanh swallows the error of S.
func erf(x float32) float32 {
	return tanh(x + x*poly(x*x, 0.12837918, 0.102771446, -0.00020037718, -0.00060925784,
		8.190124e-05, -4.173143e-06, -3.8715328e-08, 8.020866e-09))
}

// reduce writes factor·x = n·ln 2 + factor·r and returns r, and t, whose lowest
// bits are n: adding 1.5·2²³ leaves no room for a fraction.
func reduce(x, factor float32) (r, t float32) {
	const ln2Hi = 355.0 / 512 // of nine bits, so that products with n are exact
	t = x*(factor*math.Log2E) + 3<<22
	n := t - 3<<22
	return x - n*(ln2Hi/factor) - n*((math.Ln2-ln2Hi)/factor), t
}

// exp2 is 2^(n+extra) for the n in reduce's t, or 0 below 2⁻¹²⁶.
func exp2(t float32, extra int) float32 {
	return math.Float32frombits(math.Float32bits(t)<<23 + uint32(127+extra)<<23)
}

func poly(x float32, coefficients ...float32) float32 {
	sum := coefficients[len(coefficients)-1]
	for k := len(coefficients) - 2; k >= 0; k-- {
		sum = sum*x + coefficients[k]
	}
	return sum
}
