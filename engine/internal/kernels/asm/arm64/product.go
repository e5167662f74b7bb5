package main

import "fmt"

// products writes a kernel for each height of a tile. 32 registers hold 24 sums:
// three rows of 32 columns. B's values are float32s, for few rows halves too.
func (f *file) products() {
	for rows := 1; rows <= 3; rows++ {
		f.product(rows, 8, floats)
		f.product(rows, 8, halves)
	}
}

// values is the kind of B's values.
type values struct {
	name, kind string
	shift      int // the logarithm of their bytes
}

var (
	floats = values{"", "float32", 2}
	halves = values{"Half", "uint16", 1}
)

// product computes C = from + A·B + plus for a tile of C that is rows high and vectors wide,
// and nothing below 0 where rectify is not 0; from and plus may be nil. Strides count float32s:
// A's value (i, k) lies at i·rowA + k·colA, B's row k at k·rowB, the other rows i at i·rowC
// and so on. At each k it asks for the line at soon + k·ahead bytes to come to the second cache.
func (f *file) product(rows, vectors int, right values) {
	k := f.kernel(fmt.Sprintf("product%s%d", right.name, rows),
		"(c *float32, rowC int, from *float32, rowFrom int, plus *float32, rowPlus int, a *float32, rowA, colA int, b *"+right.kind+", rowB, k, rectify int, soon uintptr, ahead int)",
		fmt.Sprintf("computes a tile of %d×%d sums.", rows, 4*vectors))
	for v := range rows * vectors {
		k.clear(v)
	}
	k.given("from", func(from string) {
		k.eachSum(rows, vectors, from, "rowFrom", func(place string, v int) {
			k.line("FLDPQ %s, (F%d, F%d)", place, v, v+1)
		})
	})
	k.accumulate(rows, vectors, right)
	k.given("plus", func(plus string) {
		k.eachSum(rows, vectors, plus, "rowPlus", func(place string, v int) {
			k.line("FLDPQ %s, (F28, F29)", place)
			k.line("%s", encode3("FADD", v, v, 28))
			k.line("%s", encode3("FADD", v+1, v+1, 29))
		})
	})
	k.given("rectify", func(string) {
		k.clear(28)
		for v := range rows * vectors {
			k.line("%s", encode3("FMAX", v, v, 28))
		}
	})
	k.eachSum(rows, vectors, k.parameter("c"), "rowC", func(place string, v int) {
		k.line("FSTPQ (F%d, F%d), %s", v, v+1, place)
	})
	k.end()
}

func (k *kernel) clear(v int) { k.line("VEOR V%d.B16, V%d.B16, V%d.B16", v, v, v) }

// given runs body with the parameter of that name where that is not 0.
func (k *kernel) given(name string, body func(parameter string)) {
	p := k.parameter(name)
	k.line("CBZ %s, no_%s", p, name)
	body(p)
	k.label("no_" + name)
}

// eachSum visits the sums in pairs, together with their places in a matrix, and moves at to
// the last row.
func (k *kernel) eachSum(rows, vectors int, at, stride string, do func(place string, v int)) {
	row := k.stride(stride, 2)
	for i := range rows {
		if i > 0 {
			k.line("ADD %s, %s", row, at)
		}
		for j := 0; j < vectors; j += 2 {
			do(fmt.Sprintf("%d(%s)", 16*j, at), i*vectors+j)
		}
	}
}

// accumulate adds the products to sums, which are registers 0 to 23. A's values
// go through 24 to 27, B's row through 28 to 31.
func (k *kernel) accumulate(rows, vectors int, right values) {
	steps := k.parameter("k")
	k.line("CBZ %s, done", steps)
	b, rowB := k.parameter("b"), k.stride("rowB", right.shift)
	rowA, colA := k.stride("rowA", 2), k.stride("colA", 2)
	a := []string{k.parameter("a")}
	for len(a) < rows {
		next := k.integer()
		k.line("ADD %s, %s, %s", rowA, a[len(a)-1], next)
		a = append(a, next)
	}
	at := k.integer() // bytes from the first column of A
	k.line("MOVD ZR, %s", at)
	soon, ahead := k.parameter("soon"), k.parameter("ahead")
	k.label("loop")
	k.line("PRFM (%s), PLDL2KEEP", soon)
	k.line("ADD %s, %s", ahead, soon)
	for from := 0; from < vectors; from += 4 {
		bytes := 4 * from << right.shift
		k.loadRow(b, bytes, right)
		for i := range rows {
			value := 24 + i%4
			if from == 0 {
				k.line("FMOVS (%s)(%s), F%d", a[i], at, value)
			}
			for j := range 4 {
				k.line("%s", encodeElement("FMLA", i*vectors+from+j, 28+j, value))
			}
		}
	}
	k.line("ADD %s, %s", rowB, b)
	k.line("ADD %s, %s", colA, at)
	k.line("SUB $1, %s, %s", steps, steps)
	k.line("CBNZ %s, loop", steps)
	k.label("done")
}

// loadRow reads sixteen of B's values into registers 28 to 31.
func (k *kernel) loadRow(b string, at int, right values) {
	if right == halves {
		k.line("FLDPQ %d(%s), (F30, F31)", at, b)
		k.widen(first(28))
		return
	}
	k.line("FLDPQ %d(%s), (F28, F29)", at, b)
	k.line("FLDPQ %d(%s), (F30, F31)", at+32, b)
}

// widen makes float32s of the sixteen halves in the last two registers of a group.
func (k *kernel) widen(g group) {
	for i, from := range []int{g[2], g[3]} {
		k.line("%s", encodeWiden("FCVTL", g[2*i], from))
		k.line("%s", encodeWiden("FCVTL2", g[2*i+1], from))
	}
}

// widens writes the kernel that makes float32s of halves.
func (f *file) widens() {
	k := f.kernel("widen", "(y *float32, x *uint16, n int)", "is y = x, exactly; n is a multiple of 16.")
	y, x := k.parameter("y"), k.parameter("x")
	k.loop(16, func() {
		v := first(0)
		k.line("VLD1.P 32(%s), [V%d.H8, V%d.H8]", x, v[2], v[3])
		k.widen(v)
		k.store(v, y)
	})
	k.end()
}
