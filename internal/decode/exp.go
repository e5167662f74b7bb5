package decode

import "math"

// exp returns eˣ for x ≤ 0 with a relative error below 1e-12, and 0 below e⁻⁷⁰⁰.
//
// It stands in for math.Exp, which is assembly on amd64 and mixes two encodings of
// instructions. After an engine's vector kernels have left the upper halves of the
// registers dirty, each call of it can cost microseconds, not nanoseconds, and a
// softmax over 50,257 tokens half a second. The compiler's own instructions for the
// arithmetic below have no such trouble.
//
// x = n·ln 2 + r with |r| ≤ ln 2 / 2, so eˣ = 2ⁿ·eʳ: eʳ by its Taylor polynomial of
// degree 10, whose remainder is below 3e-13, and 2ⁿ added to the exponent's bits.
func exp(x float64) float64 {
	const (
		log2e = 1 / math.Ln2
		// ln 2 in two parts, the first with enough zero bits at its end for n·ln2High
		// to be exact.
		ln2High = 6.93147180369123816490e-01
		ln2Low  = 1.90821492927058770002e-10
		// Adding 1.5·2⁵² rounds to an integer, held in the lowest bits.
		round = 3 << 51
	)
	if x < -700 {
		return 0
	}
	shifted := x*log2e + round
	n := shifted - round
	r := x - n*ln2High - n*ln2Low
	p := 1.0 / 3628800
	p = p*r + 1.0/362880
	p = p*r + 1.0/40320
	p = p*r + 1.0/5040
	p = p*r + 1.0/720
	p = p*r + 1.0/120
	p = p*r + 1.0/24
	p = p*r + 1.0/6
	p = p*r + 1.0/2
	p = p*r + 1
	p = p*r + 1
	return math.Float64frombits(math.Float64bits(p) + math.Float64bits(shifted)<<52)
}
