package main

import (
	"fmt"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// panel is how the values of B are stored.
type panel struct {
	name, pointer string
	bytes         int // of a value
}

var (
	floats = panel{"product", "*float32", 4}
	halves = panel{"productHalf", "*uint16", 2} // widened as they are read
)

// products writes a kernel for each height of a tile. Rows of A are read where
// they lie: a value is spread over a register and multiplied with a row of the
// panel B, whose values stand next to each other. Halves are for a few rows alone:
// with more, a panel is widened once for all tiles.
func (s isa) products() {
	if s.bytes == 64 {
		for rows := 1; rows <= 12; rows++ {
			s.product(floats, rows, 2)
			s.product(halves, rows, 2)
		}
		return
	}
	// Sixteen registers hold twelve sums: three rows of 32 columns, which take fewer
	// loads than six of sixteen and read whole cache lines.
	for rows := 1; rows <= 3; rows++ {
		s.product(floats, rows, 4)
	}
	for rows := 1; rows <= 3; rows++ {
		s.product(halves, rows, 4)
	}
}

// product computes C = from + A·B + plus for a tile of C that is rows high and vectors wide,
// and nothing below 0 where rectify is not 0; from and plus may be nil. Strides count values:
// A's value (i, k) lies at i·rowA + k·colA, B's row k at k·rowB, the other rows i at i·rowC
// and so on. At each k it asks for the line at soon + k·ahead bytes, with AVX-512 for the next
// one too, to come to the second cache.
func (s isa) product(b panel, rows, vectors int) {
	name := fmt.Sprintf("%s%d", b.name, rows)
	s.function(name,
		"(c *float32, rowC int, from *float32, rowFrom int, plus *float32, rowPlus int, a *float32, rowA, colA int, b "+b.pointer+", rowB, k, rectify int, soon uintptr, ahead int)",
		fmt.Sprintf("%s%s computes a tile of %d×%d sums.", name, s.name, rows, vectors*s.lanes()))
	sums := make([][]reg.VecVirtual, rows)
	for i := range sums {
		for range vectors {
			sums[i] = append(sums[i], s.zero())
		}
	}
	given("from", func() {
		s.eachSum(sums, "from", "rowFrom", func(sum reg.VecVirtual, m Mem) { VMOVUPS(m, sum) })
	})
	s.accumulate(b, sums)
	given("plus", func() {
		s.eachSum(sums, "plus", "rowPlus", func(sum reg.VecVirtual, m Mem) { VADDPS(m, sum, sum) })
	})
	given("rectify", func() {
		zero := s.zero()
		for _, sum := range slices.Concat(sums...) {
			VMAXPS(sum, zero, sum) // which is the sum where that is NaN
		}
	})
	s.eachSum(sums, "c", "rowC", func(sum reg.VecVirtual, m Mem) { VMOVUPS(sum, m) })
	s.end()
}

// given runs body where the parameter of that name is not 0.
func given(name string, body func()) {
	p := pointer(name)
	TESTQ(p, p)
	JZ(LabelRef("no_" + name))
	body()
	Label("no_" + name)
}

// eachSum visits the sums together with their places in a matrix.
func (s isa) eachSum(sums [][]reg.VecVirtual, matrix, stride string, do func(reg.VecVirtual, Mem)) {
	at, row := pointer(matrix), pointer(stride)
	SHLQ(Imm(2), row)
	for i, line := range sums {
		for j, sum := range line {
			do(sum, Mem{Base: at, Disp: j * s.bytes})
		}
		if i < len(sums)-1 {
			ADDQ(row, at)
		}
	}
}

func (s isa) accumulate(kind panel, sums [][]reg.VecVirtual) {
	k := pointer("k")
	TESTQ(k, k)
	JLE(LabelRef("done"))
	b, rowB := pointer("b"), pointer("rowB")
	rowA, colA := pointer("rowA"), pointer("colA")
	SHLQ(Imm(uint64(kind.bytes/2)), rowB)
	for _, stride := range []reg.GPVirtual{rowA, colA} {
		SHLQ(Imm(2), stride)
	}
	// One address for every three rows; the others are one and two strides away.
	a := []reg.GPVirtual{pointer("a")}
	for len(a)*3 < len(sums) {
		next := GP64()
		LEAQ(Mem{Base: a[len(a)-1], Index: rowA, Scale: 2}, next)
		ADDQ(rowA, next)
		a = append(a, next)
	}
	soon, ahead := pointer("soon"), pointer("ahead")
	alignLoop()
	Label("loop")
	PREFETCHT1(Mem{Base: soon})
	if s.bytes == 64 { // so that one tile asks for whole rows of a panel
		PREFETCHT1(Mem{Base: soon, Disp: 64})
	}
	place := func(i int) Mem {
		m := Mem{Base: a[i/3]}
		if i%3 > 0 {
			m.Index, m.Scale = rowA, uint8(i%3)
		}
		return m
	}
	if len(sums[0]) > len(sums) {
		s.byColumn(kind, sums, place, b)
	} else {
		s.byRow(kind, sums, place, b)
	}
	ADDQ(ahead, soon)
	ADDQ(rowB, b)
	for _, address := range a {
		ADDQ(colA, address)
	}
	DECQ(k)
	JNZ(LabelRef("loop"))
	Label("done")
}

// alignLoop lets a loop begin with a cache line: elsewhere it may take 8 % longer, by chance.
func alignLoop() {
	Instruction(&ir.Instruction{Opcode: "PCALIGN", Operands: []Op{Imm(64)}})
}

// byRow keeps the row of B in registers and spreads A's values one by one.
func (s isa) byRow(kind panel, sums [][]reg.VecVirtual, place func(i int) Mem, b reg.GPVirtual) {
	row := make([]reg.VecVirtual, len(sums[0]))
	for j := range row {
		row[j] = s.vector()
		s.read(kind, Mem{Base: b, Disp: j * s.lanes() * kind.bytes}, row[j])
	}
	value := s.vector()
	for i := range sums {
		VBROADCASTSS(place(i), value)
		for j, sum := range sums[i] {
			VFMADD231PS(row[j], value, sum)
		}
	}
}

// byColumn keeps A's values in registers and reads the row of B vector by vector,
// which takes fewer registers where rows are few.
func (s isa) byColumn(kind panel, sums [][]reg.VecVirtual, place func(i int) Mem, b reg.GPVirtual) {
	values := make([]reg.VecVirtual, len(sums))
	for i := range values {
		values[i] = s.vector()
		VBROADCASTSS(place(i), values[i])
	}
	row := s.vector()
	for j := range sums[0] {
		m := Mem{Base: b, Disp: j * s.lanes() * kind.bytes}
		s.read(kind, m, row)
		for i := range sums {
			VFMADD231PS(row, values[i], sums[i][j])
		}
	}
}

// read fills a vector with values of B.
func (s isa) read(kind panel, from Mem, v reg.VecVirtual) {
	if kind == halves {
		VCVTPH2PS(from, v)
	} else {
		VMOVUPS(from, v)
	}
}

// widen writes the kernel that widens halves.
func (s isa) widen() {
	s.function("widen", "(y *float32, x *uint16, n int)",
		"widen"+s.name+" is y = x, halves; n is a multiple of the lanes.")
	y, x := pointer("y"), pointer("x")
	s.loop("loop", func(offset reg.GPVirtual) {
		v := s.vector()
		s.read(halves, Mem{Base: x}, v)
		VMOVUPS(v, at(y, offset))
		ADDQ(Imm(uint64(s.bytes/2)), x)
	})
	s.end()
}
