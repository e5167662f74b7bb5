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
// x = n·ln 2 + r with |r| ≤ ln 2 / 2, so eˣ = 2ⁿ·eʳ: eʳ by its Taylor polynomial of
// degree 9, whose remainder is below 1e-11, and 2ⁿ by adding to the exponent's bits.
func exp(x float64) float64 {
	const (
		// ln 2 in two parts; the first ends in zero bits, so that n·ln2High is exact.
		ln2High = 6.93147180369123816490e-01
		ln2Low  = 1.90821492927058770002e-10
		// Adding 1.5·2⁵² rounds to an integer, which then is the lowest bits.
		round = 3 << 51
	)
	if x < -700 {
		return 0
	}
	shifted := x*(1/math.Ln2) + round
	n := shifted - round
	r := x - n*ln2High - n*ln2Low
	// Estrin's scheme: short chains of operations, which a processor overlaps.
	r2 := r * r
	r4 := r2 * r2
	low := (1 + r) + r2*(1.0/2+r*(1.0/6))
	middle := (1.0/24 + r*(1.0/120)) + r2*(1.0/720+r*(1.0/5040))
	high := 1.0/40320 + r*(1.0/362880)
	p := low + r4*(middle+r4*high)
	return math.Float64frombits(math.Float64bits(p) + math.Float64bits(shifted)<<52)
}
