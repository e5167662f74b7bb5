// Command asm writes the assembly of package kernels for amd64, once for AVX2
// with FMA and F16C and once for AVX-512F, from one description of each kernel:
//
//	go generate ./engine/internal/kernels
//
// Every kernel ends in VZEROUPPER, so that the legacy SSE code of Go's library
// runs at its own speed afterwards.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is what the two instruction sets differ in.
type isa struct {
	name  string
	bytes int // of a vector
}

func (s isa) lanes() int { return s.bytes / 4 }

func (s isa) vector() reg.VecVirtual {
	if s.bytes == 64 {
		return ZMM()
	}
	return YMM()
}

// function opens a kernel that Go knows as name, with the suffix of the ISA.
func (s isa) function(name, signature, doc string) {
	TEXT(name+s.name, NOSPLIT, "func"+signature)
	Pragma("noescape")
	Doc(doc)
}

func (s isa) end() {
	VZEROUPPER()
	RET()
}

// loop runs body n/lanes times, for n the parameter of that name; body reads and
// writes its vectors at the byte offset that it is given.
func (s isa) loop(name string, body func(offset reg.GPVirtual)) {
	n := Load(Param("n"), GP64())
	offset := GP64()
	XORQ(offset, offset)
	SHLQ(Imm(2), n)
	Label(name)
	CMPQ(offset, n)
	JGE(LabelRef(name + "_end"))
	body(offset)
	ADDQ(I32(s.bytes), offset)
	JMP(LabelRef(name))
	Label(name + "_end")
}

// pointer loads a parameter that is an address.
func pointer(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

// at is the vector at base and a byte offset.
func at(base, offset reg.GPVirtual) Mem { return Mem{Base: base, Index: offset, Scale: 1} }

// load reads a vector into a fresh register.
func (s isa) load(from Op) reg.VecVirtual {
	v := s.vector()
	VMOVUPS(from, v)
	return v
}

// splat spreads a float32 parameter over a fresh register.
func (s isa) splat(name string) reg.VecVirtual {
	address, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	v := s.vector()
	VBROADCASTSS(address.Addr, v)
	return v
}

func (s isa) zero() reg.VecVirtual {
	v := s.vector()
	if s.bytes == 64 {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
	return v
}

func main() {
	ConstraintExpr("amd64")
	for _, s := range []isa{{"AVX2", 32}, {"AVX512", 64}} {
		s.products()
		s.widen()
		if s.bytes == 32 {
			s.transpose()
		}
		s.binaries()
		s.unaries()
		s.selects()
		s.rows()
		if s.bytes == 64 {
			s.thirds()
		}
	}
	blocks()
	ask()
	Generate()
}

// number is the float32 constant value, sixteen times in a row, to be read as a
// vector of any width.
func number(value float32) Mem { return words(fmt.Sprintf("f%08x", bits(value)), bits(value)) }

// integer is number for 32 bits of any meaning.
func integer(value uint32) Mem { return words(fmt.Sprintf("f%08x", value), value) }
