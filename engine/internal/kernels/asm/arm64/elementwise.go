package main

import "math"

func (f *file) binaries() {
	f.binary("add", "adds", "FADD")
	f.binary("sub", "subtracts", "FSUB")
	f.binary("mul", "multiplies", "FMUL")
	f.binary("div", "divides", "FDIV")
	f.binary("max", "takes the larger of", "FMAX")
	f.binary("min", "takes the smaller of", "FMIN")
}

func (f *file) binary(name, does, instruction string) {
	k := f.kernel(name, "(y, a, b *float32, n int)", does+" two vectors; n is a multiple of 16.")
	y, a, b := k.parameter("y"), k.parameter("a"), k.parameter("b")
	k.loop(16, func() {
		left, right := first(0), first(4)
		k.load(a, left)
		k.load(b, right)
		k.op3(instruction, left, left, right)
		k.store(left, y)
	})
	k.end()
}

func (f *file) unaries() {
	f.unary("neg", func(k *kernel, x group) { k.op2("FNEG", x, x) })
	f.unary("abs", func(k *kernel, x group) { k.op2("FABS", x, x) })
	f.unary("sqrt", func(k *kernel, x group) { k.op2("FSQRT", x, x) })
	f.unary("exp", (*kernel).exp)
	f.unary("logistic", (*kernel).logistic)
	f.unary("tanh", (*kernel).tanh)
	f.unary("erf", (*kernel).erf)
}

// unary writes y = op(x). Op has registers 0 to 15, of which x is the first four,
// and constants in 28 to 31.
func (f *file) unary(name string, op func(k *kernel, x group)) {
	k := f.kernel(name, "(y, x *float32, n int)", "is "+name+" of a vector; n is a multiple of 16.")
	y, x := k.parameter("y"), k.parameter("x")
	k.loop(16, func() {
		v := first(0)
		k.load(x, v)
		op(k, v)
		k.store(v, y)
	})
	k.end()
}

// The functions below compute what functions.go does for one value.

// clamp keeps NaN, as the instructions do.
func (k *kernel) clamp(x group, low, high float32) {
	k.op3("FMAX", x, x, k.number(low))
	k.op3("FMIN", x, x, k.number(high))
}

// poly returns Σ coefficients[k]·xᵏ, in registers 8 to 15.
func (k *kernel) poly(x group, coefficients ...float32) group {
	last := len(coefficients) - 1
	sum, next, after := k.number(coefficients[last]), first(8), first(12)
	for i := last - 1; i >= 0; i-- {
		k.fill(next, coefficients[i])
		k.op3("FMLA", next, sum, x)
		sum, next, after = next, after, next
	}
	return sum
}

// reduce writes factor·x = n·ln 2 + factor·r and returns r in place of x, and t in
// registers 4 to 7. It needs 8 to 11 beside.
func (k *kernel) reduce(x group, factor float32) (t group) {
	const ln2Hi = 355.0 / 512 // of nine bits, so that products with n are exact
	t, n := first(4), first(8)
	k.fill(t, 3<<22)
	k.op3("FMLA", t, x, k.number(factor*math.Log2E))
	k.op3("FSUB", n, t, k.number(3<<22))
	k.op3("FMLS", x, n, k.number(ln2Hi/factor))
	k.op3("FMLS", x, n, k.number((math.Ln2-ln2Hi)/factor))
	return t
}

// exp2 turns reduce's t into 2^(n+extra), or 0 below 2⁻¹²⁶.
func (k *kernel) exp2(t group, extra int) {
	for _, v := range t {
		k.line("VSHL $23, V%d.S4, V%d.S4", v, v)
	}
	k.bitwise("VADD", "S4", t, t, k.bits(uint32(127+extra)<<23))
}

// expOf is e^(sign·x) for a sign of 1 or -1, by 2eʳ·2ⁿ⁻¹, because 2ⁿ overflows
// before the result does.
func (k *kernel) expOf(x group, sign float32) {
	if sign > 0 {
		k.clamp(x, -87.6, 89)
	} else {
		k.clamp(x, -89, 87.6)
	}
	t := k.reduce(x, sign)
	p := k.poly(x, 2, 2*sign, 0.9999999, 0.3333286*sign, 0.08333601, 0.01674837*sign, 0.002768724)
	k.exp2(t, -1)
	k.op3("FMUL", x, t, p)
}

func (k *kernel) exp(x group) { k.expOf(x, 1) }

func (k *kernel) logistic(x group) {
	k.expOf(x, -1)
	one := k.number(1)
	k.op3("FADD", x, x, one)
	k.op3("FDIV", x, one, x)
}

// tanh is m/(m+2) for m = e²ˣ−1, whose polynomial has no constant term, so that
// nothing cancels near 0.
func (k *kernel) tanh(x group) {
	k.clamp(x, -9.1, 9.1)
	scale := k.reduce(x, 2)
	p := k.poly(x, 2, 1.9999999, 1.3333205, 0.6666742, 0.2678111, 0.08888879)
	k.op3("FMUL", p, p, x) // eʳ−1
	k.exp2(scale, 0)
	m := x
	k.op3("FSUB", m, scale, k.number(1))
	k.op3("FMLA", m, p, scale)
	divisor := p
	k.op3("FADD", divisor, m, k.number(2))
	k.op3("FDIV", x, m, divisor)
}

// erf is tanh(x·(1+S(x²))): far out the slope of tanh swallows the error of S.
func (k *kernel) erf(x group) {
	square := first(4)
	k.op3("FMUL", square, x, x)
	p := k.poly(square, 0.12837918, 0.102771446, -0.00020037718, -0.00060925784,
		8.190124e-05, -4.173143e-06, -3.8715328e-08, 8.020866e-09)
	// x itself is a factor until the last of it is added.
	k.op3("FMLA", x, p, x)
	k.tanh(x)
}

// selects writes where: y = a where a byte of the condition is not 0, else b.
func (f *file) selects() {
	k := f.kernel("where", "(y *float32, condition *bool, a, b *float32, n int)",
		"picks from a where the condition holds, else from b; n is a multiple of 16.")
	y, condition, a, b := k.parameter("y"), k.parameter("condition"), k.parameter("a"), k.parameter("b")
	k.loop(16, func() {
		left, right, mask := first(0), first(4), first(8)
		k.line("VLD1.P 16(%s), [V12.B16]", condition)
		k.line("VUXTL V12.B8, V13.H8")
		k.line("VUXTL2 V12.B16, V14.H8")
		for i, half := range []int{13, 14} {
			k.line("VUXTL V%d.H4, V%d.S4", half, mask[2*i])
			k.line("VUXTL2 V%d.H8, V%d.S4", half, mask[2*i+1])
		}
		k.bitwise("VCMTST", "S4", mask, mask, mask)
		k.load(a, left)
		k.load(b, right)
		k.bitwise("VBIT", "B16", right, left, mask)
		k.store(right, y)
	})
	k.end()
}
