package weights

import "math"

// HalfToFloat32 returns the value of an IEEE 754 half, exactly.
func HalfToFloat32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	magnitude := uint32(h & 0x7fff)
	switch {
	case magnitude < 0x0400: // zero and subnormals: a count of 2⁻²⁴
		return math.Float32frombits(sign | math.Float32bits(float32(magnitude)*0x1p-24))
	case magnitude >= 0x7c00: // infinity and NaN
		return math.Float32frombits(sign | 0x7f800000 | magnitude<<13)
	}
	const rebias = (127 - 15) << 23
	return math.Float32frombits(sign | (magnitude<<13 + rebias))
}

// Float32ToHalf rounds to the nearest IEEE 754 half, ties to even. Values
// from 65520 become infinite; a NaN stays one and keeps its upper payload.
func Float32ToHalf(v float32) uint16 {
	bits := math.Float32bits(v)
	sign := uint16(bits >> 16 & 0x8000)
	magnitude := bits & 0x7fffffff
	switch {
	case magnitude > 0x7f800000: // NaN: bit 9 makes it quiet, and not infinite
		return sign | 0x7e00 | uint16(magnitude>>13&0x3ff)
	case magnitude >= 0x477ff000: // 65520
		return sign | 0x7c00
	case magnitude < 0x38800000: // below 2⁻¹⁴ the result is subnormal
		// The last bit of a float32 in [½, 1) is 2⁻²⁴, so the adder rounds
		// as a subnormal half has to be rounded.
		rounded := math.Float32bits(math.Float32frombits(magnitude) + 0.5)
		return sign | uint16(rounded-math.Float32bits(0.5))
	}
	const rebias = (127 - 15) << 23
	return sign | uint16(roundEven(magnitude-rebias, 13))
}

// float32ToBrain rounds to the nearest bfloat16, ties to even.
func float32ToBrain(v float32) uint16 {
	if v != v {
		return uint16(math.Float32bits(v)>>16) | 0x0040
	}
	return uint16(roundEven(math.Float32bits(v), 16))
}

// roundEven shifts the lowest n bits out, rounding to nearest, ties to even.
// A carry into the exponent is what rounding up to the next power of two means.
func roundEven(bits, n uint32) uint32 {
	odd := bits >> n & 1
	return (bits + (1<<(n-1) - 1) + odd) >> n
}
