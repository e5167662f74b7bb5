package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// ask writes the kernel that asks for memory that will be read soon, line by line.
func ask() {
	TEXT("ask", NOSPLIT, "func(x uintptr, n int)")
	Doc("ask brings n lines of the cache, the first of which is at x, to the second one.")
	x, n := pointer("x"), pointer("n")
	Label("loop")
	TESTQ(n, n)
	JLE(LabelRef("end"))
	PREFETCHT1(Mem{Base: x})
	ADDQ(U32(rowBytes), x)
	DECQ(n)
	JMP(LabelRef("loop"))
	Label("end")
	RET()
}
