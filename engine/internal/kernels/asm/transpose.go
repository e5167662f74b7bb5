package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transpose writes the kernel that packs eight columns, eight values of each at a time. It
// is for AVX2 alone, whose kernel the set for AVX-512 has, too: this waits for memory.
func (s isa) transpose() {
	s.function("transpose", "(y, x *float32, column, n int)",
		"transpose"+s.name+" is y[32·i+j] = x[column·j+i] for eight j and n i, a multiple of 8.")
	y, low, column, n := pointer("y"), pointer("x"), pointer("column"), pointer("n")
	SHLQ(Imm(2), column)
	three, high := GP64(), GP64()
	LEAQ(Mem{Base: column, Index: column, Scale: 2}, three)
	LEAQ(Mem{Base: low, Index: column, Scale: 4}, high)
	Label("loop")
	CMPQ(n, Imm(8))
	JL(LabelRef("end"))
	// at is four values of column j, or of column j+4 from high on.
	at := func(base reg.GPVirtual, j, disp int) Mem {
		switch j {
		case 0:
			return Mem{Base: base, Disp: disp}
		case 3:
			return Mem{Base: base, Index: three, Scale: 1, Disp: disp}
		}
		return Mem{Base: base, Index: column, Scale: uint8(j), Disp: disp}
	}
	for half := range 2 {
		var c [4]reg.VecVirtual // columns j and j+4
		for j := range c {
			c[j] = YMM()
			VMOVUPS(at(low, j, 16*half), c[j].AsX())
			VINSERTF128(Imm(1), at(high, j, 16*half), c[j], c[j])
		}
		a, b := [2]reg.VecVirtual{YMM(), YMM()}, [2]reg.VecVirtual{YMM(), YMM()}
		VUNPCKLPS(c[1], c[0], a[0])
		VUNPCKHPS(c[1], c[0], a[1])
		VUNPCKLPS(c[3], c[2], b[0])
		VUNPCKHPS(c[3], c[2], b[1])
		for i := range 4 {
			row := YMM()
			VSHUFPS(Imm([2]uint64{0x44, 0xee}[i%2]), b[i/2], a[i/2], row)
			VMOVUPS(row, Mem{Base: y, Disp: 128 * (4*half + i)})
		}
	}
	ADDQ(Imm(32), low)
	ADDQ(Imm(32), high)
	ADDQ(I32(1024), y)
	SUBQ(Imm(8), n)
	JMP(LabelRef("loop"))
	Label("end")
	s.end()
}
