package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"math"
	"strings"
)

// group is four vector registers: sixteen values, or one register four times.
type group [4]int

// first returns the group of registers v, v+1, v+2 and v+3.
func first(v int) group { return group{v, v + 1, v + 2, v + 3} }

func same(v int) group { return group{v, v, v, v} }

// kernel is a function that is being written.
type kernel struct {
	file     *file
	name     string
	body     strings.Builder
	places   map[string]int // of parameters, from FP
	frame    int            // bytes of all parameters
	integers int            // integer registers taken
	spares   int            // of 28…31, how often one was taken
	table    bool           // whether constants are read
}

// tableRegister holds the constants' address where they are read.
const tableRegister = "R25"

// kernel opens the function name+"NEON" and declares it in Go.
func (f *file) kernel(name, signature, doc string) *kernel {
	name += "NEON"
	fmt.Fprintf(&f.stubs, "\n// %s %s\n//\n//go:noescape\nfunc %s%s\n", name, doc, name, signature)
	k := &kernel{file: f, name: name, places: map[string]int{}}
	function, err := parser.ParseExpr("func" + signature)
	if err != nil {
		panic(err)
	}
	for _, field := range function.(*ast.FuncType).Params.List {
		size := 8
		if kind, ok := field.Type.(*ast.Ident); ok && kind.Name == "float32" {
			size = 4
		}
		for _, parameter := range field.Names {
			k.frame = (k.frame + size - 1) / size * size
			k.places[parameter.Name] = k.frame
			k.frame += size
		}
	}
	return k
}

// end writes the function to the file.
func (k *kernel) end() {
	k.line("RET")
	fmt.Fprintf(&k.file.text, "\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", k.name, (k.frame+7)/8*8)
	if k.table {
		k.file.text.WriteString("\tMOVD $constants<>(SB), " + tableRegister + "\n")
	}
	k.file.text.WriteString(k.body.String())
}

func (k *kernel) line(format string, a ...any) {
	fmt.Fprintf(&k.body, "\t"+format+"\n", a...)
}

func (k *kernel) label(name string) { k.body.WriteString(name + ":\n") }

// integer takes an integer register.
func (k *kernel) integer() string {
	k.integers++
	if k.integers > 18 {
		panic(k.name + ": out of integer registers")
	}
	return fmt.Sprintf("R%d", k.integers-1)
}

// parameter loads an address or a number into an integer register.
func (k *kernel) parameter(name string) string {
	r := k.integer()
	k.line("MOVD %s+%d(FP), %s", name, k.places[name], r)
	return r
}

// stride loads a parameter that counts values of 1<<shift bytes, as bytes.
func (k *kernel) stride(name string, shift int) string {
	r := k.parameter(name)
	k.line("LSL $%d, %s, %s", shift, r, r)
	return r
}

// splat spreads a float32 parameter over register v.
func (k *kernel) splat(name string, v int) group {
	k.line("FMOVS %s+%d(FP), F%d", name, k.places[name], v)
	k.line("VDUP V%d.S[0], V%d.S4", v, v)
	return same(v)
}

// spare returns one of registers 28 to 31, in turn.
func (k *kernel) spare() int {
	k.spares++
	return 28 + k.spares%4
}

// bits returns a constant of 32 bits in a spare register.
func (k *kernel) bits(value uint32) group {
	v := same(k.spare())
	k.loadBits(v[:1], value)
	return v
}

// number returns a constant in a spare register.
func (k *kernel) number(value float32) group { return k.bits(math.Float32bits(value)) }

// fill loads a constant into each register of a group.
func (k *kernel) fill(g group, value float32) { k.loadBits(g[:], math.Float32bits(value)) }

func (k *kernel) loadBits(registers []int, bits uint32) {
	k.table = true
	for _, v := range registers {
		k.line("FMOVQ %d(%s), F%d", k.file.constant(bits), tableRegister, v)
	}
}

// load reads the next sixteen values and moves the address behind them.
func (k *kernel) load(address string, g group) {
	k.line("VLD1.P 64(%s), %s", address, list(g))
}

// store writes sixteen values and moves the address behind them.
func (k *kernel) store(g group, address string) {
	k.line("VST1.P %s, 64(%s)", list(g), address)
}

func list(g group) string {
	return fmt.Sprintf("[V%d.S4, V%d.S4, V%d.S4, V%d.S4]", g[0], g[1], g[2], g[3])
}

// op3 is d = n op m for groups, op2 d = op n.
func (k *kernel) op3(name string, d, n, m group) {
	for i := range d {
		k.line("%s", encode3(name, d[i], n[i], m[i]))
	}
}

func (k *kernel) op2(name string, d, n group) {
	for i := range d {
		k.line("%s", encode2(name, d[i], n[i]))
	}
}

// bitwise is d = n op m for an instruction that Go's assembler has, for vectors
// of the arrangement.
func (k *kernel) bitwise(name, arrangement string, d, n, m group) {
	for i := range d {
		k.line("%s V%d.%s, V%d.%s, V%d.%s", name, m[i], arrangement, n[i], arrangement, d[i], arrangement)
	}
}

// loop runs body n/step times, for n the parameter of that name.
func (k *kernel) loop(step int, body func()) {
	n := k.parameter("n")
	k.line("CBZ %s, end", n)
	k.label("loop")
	body()
	k.line("SUB $%d, %s, %s", step, n, n)
	k.line("CBNZ %s, loop", n)
	k.label("end")
}
