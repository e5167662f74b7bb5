package decode

import "math"

// exp returns eˣ for x ≤ 0 with a relative error below 1e-10, and 0 below e⁻⁷⁰⁰.
//
// It stands in for math.Exp, which is assembly on amd64 and mixes two encodings of
// vector instructions. Once an engine's kernels have left the upper halves of the
// registers in use, each of its calls can cost 10 µs instead of 10 ns, and a softmax
// over GPT-2's vocabulary half a second. What the compiler makes of the arithmetic
// below has no such trouble, and is faster even without it.
//
// x = n·ln 2 / 256 + r with |r| ≤ ln 2 / 512, so eˣ = 2^(n/256)·eʳ: eʳ by its Taylor
// polynomial of degree 3, whose remainder is below 2e-13, the part of 2^(n/256) behind the
// point of n/256 from a table, and the other one by adding to the exponent's bits.
func exp(x float64) float64 {
	// Adding 1.5·2⁵² rounds to an integer, which then is the lowest bits.
	const round = 3 << 51
	if x < -700 {
		return 0
	}
	shifted := x*(steps/math.Ln2) + round
	r := x - (shifted-round)*(math.Ln2/steps)
	n := math.Float64bits(shifted)
	p := powers[n%steps] * (1 + r*(1+r*(1.0/2+r*(1.0/6))))
	return math.Float64frombits(math.Float64bits(p) + n/steps<<52)
}

// steps is the number of powers of 2 from 1 to below 2 in [powers].
const steps = 256

// powers[i] is 2^(i/steps).
var powers = func() (p [steps]float64) {
	for i := range p {
		p[i] = math.Exp2(float64(i) / steps)
	}
	return p
}()
