package main

// partials is the number of running values of a reduction, the same for every
// instruction set, so that all add up in the same order. They are registers 16
// to 23.
const partials = 32

// rows writes what softmax and layer normalisation do with a row, and the sums
// and maxima of reductions. n is a multiple of 32.
func (f *file) rows() {
	f.reduction("sum32", "(partial, x *float32, n int)", "adds the values whose index is j modulo 32 to partial j.",
		func(k *kernel) func(sum, v group) {
			return func(sum, v group) { k.op3("FADD", sum, sum, v) }
		})
	f.reduction("max32", "(partial, x *float32, n int)", "raises partial j to the values whose index is j modulo 32, NaN above all.",
		func(k *kernel) func(sum, v group) {
			return func(sum, v group) { k.op3("FMAX", sum, sum, v) }
		})
	f.reduction("squares32", "(partial, x *float32, mean float32, n int)", "adds the squared distances from mean to the partials.",
		func(k *kernel) func(sum, v group) {
			mean := k.splat("mean", 24)
			return func(sum, v group) {
				k.op3("FSUB", v, v, mean)
				k.op3("FMLA", sum, v, v)
			}
		})
	f.softmax()
	f.normalize()
}

// reduction runs step over groups with their running values, which are read from
// and written back to partial.
func (f *file) reduction(name, signature, does string, prepare func(k *kernel) func(sum, v group)) {
	k := f.kernel(name, signature, does)
	step := prepare(k)
	x := k.parameter("x")
	k.withPartials(func(sum group) {
		v := first(sum[0] - 16)
		k.load(x, v)
		step(sum, v)
	})
	k.end()
}

// withPartials runs body for each sixteen values with their running values.
func (k *kernel) withPartials(body func(sum group)) {
	low, high := first(16), first(20)
	partial := k.parameter("partial")
	k.load(partial, low)
	k.load(partial, high)
	k.loop(partials, func() {
		body(low)
		body(high)
	})
	k.line("MOVD partial+%d(FP), %s", k.places["partial"], partial)
	k.store(low, partial)
	k.store(high, partial)
}

func (f *file) normalize() {
	k := f.kernel("normalize", "(y, x, gain, bias *float32, mean, scale float32, n int)",
		"is y = (x−mean)·scale·gain + bias; n is a multiple of 16.")
	mean, scale := k.splat("mean", 24), k.splat("scale", 25)
	y, x, gain, bias := k.parameter("y"), k.parameter("x"), k.parameter("gain"), k.parameter("bias")
	k.loop(16, func() {
		v, factor, sum := first(0), first(4), first(8)
		k.load(x, v)
		k.op3("FSUB", v, v, mean)
		k.op3("FMUL", v, v, scale)
		k.load(gain, factor)
		k.load(bias, sum)
		k.op3("FMLA", sum, v, factor)
		k.store(sum, y)
	})
	k.end()
}
