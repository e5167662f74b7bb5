package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (s isa) binaries() {
	s.binary("add", "adds", func(a, b, y reg.VecVirtual) { VADDPS(b, a, y) })
	s.binary("sub", "subtracts", func(a, b, y reg.VecVirtual) { VSUBPS(b, a, y) })
	s.binary("mul", "multiplies", func(a, b, y reg.VecVirtual) { VMULPS(b, a, y) })
	s.binary("div", "divides", func(a, b, y reg.VecVirtual) { VDIVPS(b, a, y) })
	// The instructions return their second source where one is NaN. Both orders,
	// joined bit by bit, are NaN where either is.
	s.binary("max", "takes the larger of", func(a, b, y reg.VecVirtual) {
		other := s.vector()
		VMAXPS(b, a, y)
		VMAXPS(a, b, other)
		s.or(other, y, y)
	})
	s.binary("min", "takes the smaller of", func(a, b, y reg.VecVirtual) {
		other := s.vector()
		VMINPS(b, a, y)
		VMINPS(a, b, other)
		s.or(other, y, y)
	})
}

func (s isa) binary(name, does string, op func(a, b, y reg.VecVirtual)) {
	s.function(name, "(y, a, b *float32, n int)", name+s.name+" "+does+" two vectors; n is a multiple of the lanes.")
	y, a, b := pointer("y"), pointer("a"), pointer("b")
	s.loop("loop", func(offset reg.GPVirtual) {
		result := s.vector()
		op(s.load(at(a, offset)), s.load(at(b, offset)), result)
		VMOVUPS(result, at(y, offset))
	})
	s.end()
}

func (s isa) or(a, b, y Op) {
	if s.bytes == 64 {
		VPORD(a, b, y)
	} else {
		VORPS(a, b, y)
	}
}

func (s isa) and(a, b, y Op) {
	if s.bytes == 64 {
		VPANDD(a, b, y)
	} else {
		VANDPS(a, b, y)
	}
}

func (s isa) xor(a, b, y Op) {
	if s.bytes == 64 {
		VPXORD(a, b, y)
	} else {
		VXORPS(a, b, y)
	}
}

func (s isa) unaries() {
	s.unary("neg", func(x reg.VecVirtual) { s.xor(integer(1<<31), x, x) })
	s.unary("abs", func(x reg.VecVirtual) { s.and(integer(1<<31-1), x, x) })
	s.unary("sqrt", func(x reg.VecVirtual) { VSQRTPS(x, x) })
	s.unary("exp", s.exp)
	s.unary("logistic", s.logistic)
	s.unary("tanh", s.tanh)
	s.unary("erf", s.erf)
}

func (s isa) unary(name string, op func(x reg.VecVirtual)) {
	s.function(name, "(y, x *float32, n int)", name+s.name+" is "+name+" of a vector; n is a multiple of the lanes.")
	y, x := pointer("y"), pointer("x")
	s.loop("loop", func(offset reg.GPVirtual) {
		v := s.load(at(x, offset))
		op(v)
		VMOVUPS(v, at(y, offset))
	})
	s.end()
}

// clamp keeps NaN: the instructions return their second source, the first of Go's
// operands, where a source is NaN.
func (s isa) clamp(x reg.VecVirtual, low, high float32) {
	bound := s.load(number(low))
	VMAXPS(x, bound, x)
	VMOVUPS(number(high), bound)
	VMINPS(x, bound, x)
}

// poly returns Σ coefficients[k]·xᵏ.
func (s isa) poly(x reg.VecVirtual, coefficients ...float32) reg.VecVirtual {
	last := len(coefficients) - 1
	sum := s.load(number(coefficients[last]))
	for k := last - 1; k >= 0; k-- {
		VFMADD213PS(number(coefficients[k]), x, sum)
	}
	return sum
}

// reduce writes factor·x = n·ln 2 + factor·r and returns r in place of x, and t,
// whose lowest bits are n: adding 1.5·2²³ leaves no room for a fraction.
func (s isa) reduce(x reg.VecVirtual, factor float32) (t reg.VecVirtual) {
	const ln2Hi = 355.0 / 512 // of nine bits, so that products with n are exact
	t = s.load(number(factor * math.Log2E))
	VFMADD213PS(number(3<<22), x, t)
	n := s.vector()
	VSUBPS(number(3<<22), t, n)
	VFNMADD231PS(number(ln2Hi/factor), n, x)
	VFNMADD231PS(number((math.Ln2-ln2Hi)/factor), n, x)
	return t
}

// exp2 turns reduce's t into 2^(n+extra), or 0 below 2⁻¹²⁶.
func (s isa) exp2(t reg.VecVirtual, extra int) {
	VPSLLD(Imm(23), t, t)
	VPADDD(integer(uint32(127+extra)<<23), t, t)
}

// expOf is e^(sign·x) for a sign of 1 or -1, by 2eʳ·2ⁿ⁻¹, because 2ⁿ overflows
// before the result does.
func (s isa) expOf(x reg.VecVirtual, sign float32) {
	if sign > 0 {
		s.clamp(x, -87.6, 89)
	} else {
		s.clamp(x, -89, 87.6)
	}
	t := s.reduce(x, sign)
	twice := [...]float32{2, 2, 0.9999999, 0.3333286, 0.08333601, 0.01674837, 0.002768724}
	for k := 1; k < len(twice); k += 2 {
		twice[k] *= sign
	}
	p := s.poly(x, twice[:]...)
	s.exp2(t, -1)
	VMULPS(t, p, x)
}

func (s isa) exp(x reg.VecVirtual) { s.expOf(x, 1) }

func (s isa) logistic(x reg.VecVirtual) {
	s.expOf(x, -1)
	one := s.load(number(1))
	VADDPS(one, x, x)
	VDIVPS(x, one, x)
}

// tanh is m/(m+2) for m = e²ˣ−1, whose polynomial has no constant term, so that
// nothing cancels near 0.
func (s isa) tanh(x reg.VecVirtual) {
	s.clamp(x, -9.1, 9.1)
	scale := s.reduce(x, 2)
	p := s.poly(x, 2, 1.9999999, 1.3333205, 0.6666742, 0.2678111, 0.08888879)
	VMULPS(x, p, p) // eʳ−1
	s.exp2(scale, 0)
	m := s.vector()
	VSUBPS(number(1), scale, m)
	VFMADD231PS(p, scale, m)
	VADDPS(number(2), m, x)
	VDIVPS(x, m, x)
}

// erf is tanh(x·(1+S(x²))): far out the slope of tanh swallows the error of S.
func (s isa) erf(x reg.VecVirtual) {
	square := s.vector()
	VMULPS(x, x, square)
	p := s.poly(square, 0.12837918, 0.102771446, -0.00020037718, -0.00060925784,
		8.190124e-05, -4.173143e-06, -3.8715328e-08, 8.020866e-09)
	VFMADD231PS(p, x, x)
	s.tanh(x)
}

// selects writes where: y = a where a byte of the condition is not 0, else b.
func (s isa) selects() {
	s.function("where", "(y *float32, condition *bool, a, b *float32, n int)",
		"where"+s.name+" picks from a where the condition holds, else from b; n is a multiple of the lanes.")
	y, condition, a, b := pointer("y"), pointer("condition"), pointer("a"), pointer("b")
	s.loop("loop", func(offset reg.GPVirtual) {
		mask := s.vector()
		VPMOVZXBD(Mem{Base: condition}, mask)
		ADDQ(I32(s.lanes()), condition)
		result := s.load(at(b, offset))
		if s.bytes == 64 {
			k := K()
			VPTESTMD(mask, mask, k)
			VMOVUPS(at(a, offset), k, result)
		} else {
			zero := s.zero()
			VPCMPGTD(zero, mask, mask)
			VBLENDVPS(mask, at(a, offset), result, result)
		}
		VMOVUPS(result, at(y, offset))
	})
	s.end()
}
