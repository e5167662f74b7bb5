package main

import "math"

// softmax writes the softmax of a whole row, which for a short one costs less than
// calls of a kernel for each step.
func (f *file) softmax() {
	k := f.kernel("softmax", "(y, x, tail *float32, n int)", "is y = exp(x−max x), divided by its sum, for a row: "+
		"n values, a multiple of 32, and the 32 at tail, whose results go behind them; tail may be nil.")
	k.fillRunning(float32(math.Inf(-1)))
	k.row("maximum", func(x, _ string, largest group) {
		v := first(0)
		k.load(x, v)
		k.op3("FMAX", largest, largest, v)
	})
	shift := k.fold("FMAX", 24)
	k.fillRunning(0)
	k.row("exponential", func(x, y string, sum group) {
		v := first(0)
		k.load(x, v)
		k.op3("FSUB", v, v, shift)
		k.exp(v)
		k.store(v, y)
		k.op3("FADD", sum, sum, v)
	})
	scale := k.fold("FADD", 24)
	k.line("%s", encode3("FDIV", scale[0], k.number(1)[0], scale[0]))
	k.row("scaled", func(_, y string, _ group) {
		v := first(0)
		k.line("VLD1 (%s), %s", y, list(v))
		k.op3("FMUL", v, v, scale)
		k.store(v, y)
	})
	k.end()
}

// fillRunning gives the running values, registers 16 to 23, one to begin with.
func (k *kernel) fillRunning(value float32) {
	k.fill(first(16), value)
	k.fill(first(20), value)
}

// row runs body for each sixteen values of the row at x and y, with their running
// values; body moves the addresses that it uses. The tail is the last 32 of them: the
// loop is entered once more for it.
func (k *kernel) row(name string, body func(x, y string, running group)) {
	x, y, tail, n := k.parameter("x"), k.parameter("y"), k.parameter("tail"), k.parameter("n")
	k.label(name)
	k.line("CBZ %s, %s_rest", n, name)
	body(x, y, first(16))
	body(x, y, first(20))
	k.line("SUB $%d, %s, %s", partials, n, n)
	k.line("B %s", name)
	k.label(name + "_rest")
	k.line("CBZ %s, %s_end", tail, name)
	k.line("MOVD %s, %s", tail, x)
	k.line("ADD $%d, %s, %s", 4*partials, tail, y)
	k.line("MOVD $%d, %s", partials, n)
	k.line("MOVD ZR, %s", tail)
	k.line("B %s", name)
	k.label(name + "_end")
}

// fold joins the running values in pairs, as Set.fold does, and returns the last one
// in each lane of register d: both of a pair are given the same.
func (k *kernel) fold(join string, d int) group {
	for width := 4; width > 0; width /= 2 {
		for j := 16; j < 16+width; j++ {
			k.line("%s", encode3(join, j, j, j+width))
		}
	}
	k.line("VEXT $8, V16.B16, V16.B16, V17.B16")
	k.line("%s", encode3(join, 16, 16, 17))
	k.line("VREV64 V16.S4, V17.S4")
	k.line("%s", encode3(join, d, 16, 17))
	return same(d)
}
