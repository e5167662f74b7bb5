package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// softmax writes the softmax of a whole row, which for a short one costs less than
// calls of a kernel for each step. A plain maximum will do: it may lose a NaN, which
// then comes back through the sum.
func (s isa) softmax() {
	s.function("softmax", "(y, x, tail *float32, n int)", "softmax"+s.name+" is y = exp(x−max x), divided by its sum, for a row: "+
		"n values, a multiple of 32, and the 32 at tail, whose results go behind them; tail may be nil.")
	maxima, sums := s.running(), s.running()
	for _, v := range maxima {
		VMOVUPS(number(float32(math.Inf(-1))), v)
	}
	s.row("maximum", func(x, _ reg.GPVirtual) {
		for j, v := range maxima {
			VMAXPS(s.part(x, j), v, v)
		}
	})
	shift := s.fold(maxima, VMAXPS)
	for _, v := range sums {
		s.xor(v, v, v)
	}
	s.row("exponential", func(x, y reg.GPVirtual) {
		for j, sum := range sums {
			v := s.load(s.part(x, j))
			VSUBPS(shift, v, v)
			s.exp(v)
			VMOVUPS(v, s.part(y, j))
			VADDPS(v, sum, sum)
		}
	})
	scale := s.inverse(s.fold(sums, VADDPS))
	s.row("scaled", func(_, y reg.GPVirtual) {
		for j := range sums {
			v := s.vector()
			VMULPS(s.part(y, j), scale, v)
			VMOVUPS(v, s.part(y, j))
		}
	})
	s.end()
}

// running returns registers for 32 running values.
func (s isa) running() []reg.VecVirtual {
	v := make([]reg.VecVirtual, partials/s.lanes())
	for j := range v {
		v[j] = s.vector()
	}
	return v
}

// part is vector j at an address.
func (s isa) part(base reg.GPVirtual, j int) Mem { return Mem{Base: base, Disp: j * s.bytes} }

// row runs body for each 32 values of the row at x and y. The tail is the last of them:
// the loop is entered once more for it.
func (s isa) row(name string, body func(x, y reg.GPVirtual)) {
	x, y, tail, n := pointer("x"), pointer("y"), pointer("tail"), Load(Param("n"), GP64())
	Label(name)
	TESTQ(n, n)
	JZ(LabelRef(name + "_rest"))
	body(x, y)
	ADDQ(I32(4*partials), x)
	ADDQ(I32(4*partials), y)
	SUBQ(Imm(partials), n)
	JMP(LabelRef(name))
	Label(name + "_rest")
	TESTQ(tail, tail)
	JZ(LabelRef(name + "_end"))
	MOVQ(tail, x)
	LEAQ(Mem{Base: tail, Disp: 4 * partials}, y)
	MOVQ(I32(partials), n)
	XORQ(tail, tail)
	JMP(LabelRef(name))
	Label(name + "_end")
}

// fold joins running values in pairs, as Set.fold does, and returns the last one in
// each lane: both of a pair are given the same.
func (s isa) fold(p []reg.VecVirtual, join func(...Op)) reg.VecVirtual {
	for width := len(p) / 2; width > 0; width /= 2 {
		for j := range width {
			join(p[j+width], p[j], p[j])
		}
	}
	v, other := p[0], s.vector()
	const swapHalves, swapPairs = 0x4e, 0xb1 // of four
	if s.bytes == 64 {
		for _, swap := range []uint64{swapHalves, swapPairs} {
			VSHUFF64X2(Imm(swap), v, v, other)
			join(other, v, v)
		}
	} else {
		VPERM2F128(Imm(1), v, v, other)
		join(other, v, v)
	}
	for _, swap := range []uint64{swapHalves, swapPairs} {
		VPERMILPS(Imm(swap), v, other)
		join(other, v, v)
	}
	return v
}

// inverse is 1/x for a value that is in each lane; one division is faster than all.
func (s isa) inverse(x reg.VecVirtual) reg.VecVirtual {
	y := s.vector()
	VMOVSS(number(1), y.AsX())
	VDIVSS(x.AsX(), y.AsX(), y.AsX())
	VBROADCASTSS(y.AsX(), y)
	return y
}
