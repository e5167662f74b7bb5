package main

import "fmt"

// products writes a kernel for each height of a tile. 32 registers hold 24 sums:
// three rows of 32 columns, which read whole cache lines where weights come from
// memory, or six of sixteen.
func (f *file) products() {
	for rows := 1; rows <= 3; rows++ {
		f.product(rows, 8)
	}
	for rows := 4; rows <= 6; rows++ {
		f.product(rows, 4)
	}
}

// product computes C += A·B, or C = A·B where sum is 0, for a tile of C that is
// rows high and vectors wide. Strides count float32s: A's value (i, k) lies at
// i·rowA + k·colA, B's row k at k·rowB, C's row i at i·rowC.
func (f *file) product(rows, vectors int) {
	k := f.kernel(fmt.Sprintf("product%d", rows),
		"(c *float32, rowC int, a *float32, rowA, colA int, b *float32, rowB, k, sum int)",
		fmt.Sprintf("computes a tile of %d×%d sums.", rows, 4*vectors))
	c, rowC, flag := k.parameter("c"), k.stride("rowC"), k.parameter("sum")
	for v := range rows * vectors {
		k.line("VEOR V%d.B16, V%d.B16, V%d.B16", v, v, v)
	}
	k.line("CBZ %s, zero", flag)
	k.eachSum(rows, vectors, c, rowC, func(place string, v int) {
		k.line("FLDPQ %s, (F%d, F%d)", place, v, v+1)
	})
	k.line("MOVD c+%d(FP), %s", k.places["c"], c)
	k.label("zero")
	k.accumulate(rows, vectors)
	k.eachSum(rows, vectors, c, rowC, func(place string, v int) {
		k.line("FSTPQ (F%d, F%d), %s", v, v+1, place)
	})
	k.end()
}

// eachSum visits the sums in pairs, together with their places in C, and moves c
// to the last row.
func (k *kernel) eachSum(rows, vectors int, c, rowC string, do func(place string, v int)) {
	for i := range rows {
		if i > 0 {
			k.line("ADD %s, %s", rowC, c)
		}
		for j := 0; j < vectors; j += 2 {
			do(fmt.Sprintf("%d(%s)", 16*j, c), i*vectors+j)
		}
	}
}

// accumulate adds the products to sums, which are registers 0 to 23. A's values
// go through 24 to 27, B's row through 28 to 31.
func (k *kernel) accumulate(rows, vectors int) {
	steps := k.parameter("k")
	k.line("CBZ %s, done", steps)
	b, rowB := k.parameter("b"), k.stride("rowB")
	rowA, colA := k.stride("rowA"), k.stride("colA")
	a := []string{k.parameter("a")}
	for len(a) < rows {
		next := k.integer()
		k.line("ADD %s, %s, %s", rowA, a[len(a)-1], next)
		a = append(a, next)
	}
	at := k.integer() // bytes from the first column of A
	k.line("MOVD ZR, %s", at)
	k.label("loop")
	for from := 0; from < vectors; from += 4 {
		for j := 0; j < 4; j += 2 {
			k.line("FLDPQ %d(%s), (F%d, F%d)", 16*(from+j), b, 28+j, 29+j)
		}
		if vectors == 8 {
			// Few rows mean that weights come from memory, so what is needed soon is
			// asked for.
			k.line("PRFM %d(%s), PLDL1KEEP", 1024+16*from, b)
		}
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
