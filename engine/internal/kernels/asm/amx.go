package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Sizes in bytes of what thirds.go calls a block: for a chunk of 32 k, three planes of two
// halves, each a register of sixteen rows.
const (
	rowBytes   = 64
	halfBytes  = 16 * rowBytes
	planeBytes = 2 * halfBytes
	blockBytes = 3 * planeBytes
	soonBytes  = 512
)

// thirds writes the kernel that cuts float32s into bfloat16s: the nearest one, the nearest to
// what is left, and what is left then. A row of a register has x at the even places and y at
// the odd ones.
func (s isa) thirds() {
	s.function("thirds", "(to *uint16, stepTo, jumpTo int, x *float32, apart, stepX, jumpX int, n, m int)",
		"thirds"+s.name+" cuts m times n rows of 16 values x and of the 16 that are apart values on. Steps lead from row to row, jumps from one to the next of the m.")
	to, x, apart := pointer("to"), pointer("x"), pointer("apart")
	stepTo, jumpTo, stepX, jumpX := pointer("stepTo"), pointer("jumpTo"), pointer("stepX"), pointer("jumpX")
	m := pointer("m")
	for _, stride := range []reg.GPVirtual{apart, stepX, jumpX} {
		SHLQ(Imm(2), stride)
	}
	for _, stride := range []reg.GPVirtual{stepTo, jumpTo} {
		SHLQ(Imm(1), stride)
	}
	high, half := s.load(integer(0xffff0000)), s.load(integer(0x8000))
	Label("outer")
	TESTQ(m, m)
	JLE(LabelRef("end"))
	n, from, at := pointer("n"), GP64(), GP64()
	MOVQ(x, from)
	MOVQ(to, at)
	Label("inner")
	TESTQ(n, n)
	JLE(LabelRef("next"))
	even, odd := s.load(Mem{Base: from}), s.load(Mem{Base: from, Index: apart, Scale: 1})
	for plane := range 3 {
		pair, nearEven, nearOdd := s.vector(), even, odd
		if plane < 2 { // what is left for the third are eight bits at most
			nearEven, nearOdd = s.plus(even, half), s.plus(odd, half)
		}
		VPSRLD(Imm(16), nearEven, pair)
		VPTERNLOGD(Imm(0xf8), high, nearOdd, pair) // pair or nearOdd's high halves
		VMOVUPS(pair, Mem{Base: at, Disp: plane * planeBytes})
		if plane < 2 {
			even, odd = s.without(even, nearEven, high), s.without(odd, nearOdd, high)
		}
	}
	ADDQ(stepX, from)
	ADDQ(stepTo, at)
	DECQ(n)
	JMP(LabelRef("inner"))
	Label("next")
	ADDQ(jumpX, x)
	ADDQ(jumpTo, to)
	DECQ(m)
	JMP(LabelRef("outer"))
	Label("end")
	s.end()
}

// plus is the sum of x and y as integers.
func (s isa) plus(x, y reg.VecVirtual) reg.VecVirtual {
	sum := s.vector()
	VPADDD(x, y, sum)
	return sum
}

// without is x less the bfloat16 that is the high half of near.
func (s isa) without(x, near, high reg.VecVirtual) reg.VecVirtual {
	first, left := s.vector(), s.vector()
	VPANDD(high, near, first)
	VSUBPS(first, x, left)
	return left
}

// blocks writes the kernel that multiplies cut matrices with the processor's matrix unit.
// Eight registers hold four sums of 16×16, two halves of A and two of B. Of the nine products
// of planes it leaves the three out that are below the last bit of a float32, and adds the
// smallest first.
//
// avo knows nothing of these instructions, nor Go's assembler, so they are written as bytes,
// and registers are chosen by hand.
func blocks() {
	TEXT("blocksAMX", NOSPLIT, "func(c *float32, rowC int, from *float32, rowFrom int, a, b *uint16, chunks, tiles int, soon uintptr)")
	Pragma("noescape")
	Doc("blocksAMX computes from + A·B for so many tiles of 32×32 that stand one above another, of so many chunks of k; from may be nil. At each chunk it asks for 512 bytes, the first of which are at soon.")
	c, rowC, from, rowFrom := reg.RAX, reg.RBX, reg.R8, reg.R9
	a, b, first, stride := reg.RSI, reg.RDI, reg.RDX, reg.RCX
	chunks, tiles, left, below, soon := reg.R10, reg.R11, reg.R12, reg.R13, reg.R15
	Load(Param("c"), c)
	Load(Param("rowC"), rowC)
	Load(Param("from"), from)
	Load(Param("rowFrom"), rowFrom)
	Load(Param("a"), a)
	Load(Param("b"), first)
	Load(Param("chunks"), chunks)
	Load(Param("tiles"), tiles)
	Load(Param("soon"), soon)
	SHLQ(Imm(2), rowC)
	SHLQ(Imm(2), rowFrom)
	LEAQ(shapes(), b)
	write(configure(b))
	MOVQ(U32(rowBytes), stride)
	Label("tile")
	TESTQ(tiles, tiles)
	JLE(LabelRef("end"))

	TESTQ(from, from)
	JZ(LabelRef("zero"))
	lower(below, from, rowFrom)
	for i, half := range []reg.GPPhysical{from, from, below, below} {
		write(tileLoad(i, half, rowFrom, i%2*rowBytes))
	}
	lower(from, below, rowFrom)
	JMP(LabelRef("sums"))
	Label("zero")
	for i := range 4 {
		write(tileZero(i))
	}
	Label("sums")
	MOVQ(first, b)
	MOVQ(chunks, left)
	MOVQ(c, below)
	Label("chunk")
	for line := range soonBytes / rowBytes {
		PREFETCHT1(Mem{Base: soon, Disp: line * rowBytes})
	}
	ADDQ(U32(soonBytes), soon)
	for range 2 { // rows of C, which are written in the end
		PREFETCHT0(Mem{Base: below})
		PREFETCHT0(Mem{Base: below, Disp: rowBytes})
		ADDQ(rowC, below)
	}
	loadA := func(plane int) { loadHalves(4, a, stride, plane) }
	loadB := func(plane int) { loadHalves(6, b, stride, plane) }
	add := func() {
		for i := range 4 {
			write(tileProduct(i, 4+i/2, 6+i%2))
		}
	}
	loadA(2)
	loadB(0)
	add()
	loadA(1)
	loadB(1)
	add()
	loadA(0)
	loadB(2)
	add()
	loadB(1)
	add()
	loadB(0)
	add()
	loadA(1)
	add()
	ADDQ(U32(blockBytes), a)
	ADDQ(U32(blockBytes), b)
	DECQ(left)
	JNZ(LabelRef("chunk"))

	lower(below, c, rowC)
	for i, half := range []reg.GPPhysical{c, c, below, below} {
		write(tileStore(i, half, rowC, i%2*rowBytes))
	}
	lower(c, below, rowC)
	DECQ(tiles)
	JMP(LabelRef("tile"))
	Label("end")
	write(release())
	RET()
}

// loadHalves loads both halves of a plane into two registers.
func loadHalves(register int, base, stride reg.GPPhysical, plane int) {
	for half := range 2 {
		write(tileLoad(register+half, base, stride, plane*planeBytes+half*halfBytes))
	}
}

// lower is 16 rows below an address.
func lower(to, from, row reg.GPPhysical) {
	MOVQ(row, to)
	SHLQ(Imm(4), to)
	ADDQ(from, to)
}

// shapes is what the unit is told of its registers: the first table, sixteen rows of 64 bytes
// in each of eight.
func shapes() Mem {
	m := GLOBL("shapes", attr.RODATA|attr.NOPTR)
	DATA(0, U64(1))
	DATA(8, U64(0))
	DATA(16, U64(0x0040_0040_0040_0040))
	DATA(24, U64(0x0040_0040_0040_0040))
	DATA(32, U64(0))
	DATA(40, U64(0))
	DATA(48, U64(0x1010_1010_1010_1010))
	DATA(56, U64(0))
	return m
}

// The last byte of a prefix, which tells instructions with the same number apart.
const (
	np = 0x78
	f3 = 0x7a
	f2 = 0x7b
)

func configure(base reg.GPPhysical) []byte {
	return []byte{0xc4, 0xe2, np, 0x49, byte(base.PhysicalIndex())}
}
func release() []byte       { return []byte{0xc4, 0xe2, np, 0x49, 0xc0} }
func tileZero(t int) []byte { return []byte{0xc4, 0xe2, f2, 0x49, 0xc0 | byte(t)<<3} }

// tileProduct adds the product of two registers to a third.
func tileProduct(sum, left, right int) []byte {
	return []byte{0xc4, 0xe2, f3 ^ byte(right)<<3, 0x5c, 0xc0 | byte(sum)<<3 | byte(left)}
}

// tileLoad fills a register with rows that are row bytes apart.
func tileLoad(t int, base, row reg.GPPhysical, disp int) []byte {
	return tileMove(f2, t, base, row, disp)
}

func tileStore(t int, base, row reg.GPPhysical, disp int) []byte {
	return tileMove(f3, t, base, row, disp)
}

func tileMove(prefix byte, t int, base, row reg.GPPhysical, disp int) []byte {
	b, r, d := byte(base.PhysicalIndex()), byte(row.PhysicalIndex()), uint32(disp)
	return []byte{
		0xc4, 0xe2 ^ r>>3<<6 ^ b>>3<<5, prefix, 0x4b, 0x84 | byte(t)<<3, r&7<<3 | b&7,
		byte(d), byte(d >> 8), byte(d >> 16), byte(d >> 24),
	}
}

// write writes an instruction.
func write(code []byte) {
	for _, b := range code {
		Instruction(&ir.Instruction{Opcode: "BYTE", Operands: []Op{U8(b)}})
	}
}
