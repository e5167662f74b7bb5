package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// partials is the number of running sums of a reduction, the same for every
// instruction set, so that all add up in the same order.
const partials = 32

// rows writes what softmax and layer normalisation do with a row, and the sums
// and maxima of reductions. n is a multiple of 32.
func (s isa) rows() {
	s.reduction("sum32", "(partial, x *float32, n int)", "adds the values whose index is j modulo 32 to partial j.",
		func() func(sum, v reg.VecVirtual) {
			return func(sum, v reg.VecVirtual) { VADDPS(v, sum, sum) }
		})
	s.reduction("max32", "(partial, x *float32, n int)", "raises partial j to the values whose index is j modulo 32, NaN above all.",
		func() func(sum, v reg.VecVirtual) {
			return func(sum, v reg.VecVirtual) {
				other := s.vector()
				VMAXPS(sum, v, other)
				VMAXPS(v, sum, sum)
				s.or(other, sum, sum)
			}
		})
	s.reduction("squares32", "(partial, x *float32, mean float32, n int)", "adds the squared distances from mean to the partials.",
		func() func(sum, v reg.VecVirtual) {
			mean := s.splat("mean")
			return func(sum, v reg.VecVirtual) {
				VSUBPS(mean, v, v)
				VFMADD231PS(v, v, sum)
			}
		})
	s.softmax()
	s.normalize()
}

// reduction runs step over a vector with 32 running values, which are read from
// and written back to partial.
func (s isa) reduction(name, signature, does string, prepare func() func(sum, v reg.VecVirtual)) {
	s.function(name, signature, name+s.name+" "+does)
	step := prepare()
	partial, x := pointer("partial"), pointer("x")
	s.withPartials(partial, func(sums []reg.VecVirtual) {
		s.loop32(func(offset reg.GPVirtual) {
			for j, sum := range sums {
				m := at(x, offset)
				m.Disp = j * s.bytes
				step(sum, s.load(m))
			}
		})
	})
	s.end()
}

func (s isa) withPartials(partial reg.GPVirtual, body func(sums []reg.VecVirtual)) {
	sums := make([]reg.VecVirtual, partials/s.lanes())
	for j := range sums {
		sums[j] = s.load(Mem{Base: partial, Disp: j * s.bytes})
	}
	body(sums)
	for j, sum := range sums {
		VMOVUPS(sum, Mem{Base: partial, Disp: j * s.bytes})
	}
}

// loop32 runs body for each 32 values.
func (s isa) loop32(body func(offset reg.GPVirtual)) {
	isa{s.name, 4 * partials}.loop("loop", body)
}

func (s isa) normalize() {
	s.function("normalize", "(y, x, gain, bias *float32, mean, scale float32, n int)",
		"normalize"+s.name+" is y = (x−mean)·scale·gain + bias; n is a multiple of the lanes.")
	mean, scale := s.splat("mean"), s.splat("scale")
	y, x, gain, bias := pointer("y"), pointer("x"), pointer("gain"), pointer("bias")
	s.loop("loop", func(offset reg.GPVirtual) {
		v := s.load(at(x, offset))
		VSUBPS(mean, v, v)
		VMULPS(scale, v, v)
		shift := s.load(at(bias, offset))
		VFMADD132PS(at(gain, offset), shift, v)
		VMOVUPS(v, at(y, offset))
	})
	s.end()
}
