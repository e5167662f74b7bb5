// Package kernels computes with rows of float32s: products, elementwise
// functions, and what reductions, softmax and layer normalisation are made of.
//
// Each kernel exists as a twin in plain Go and in assembly, on amd64 for AVX2 with
// FMA and F16C and for AVX-512, on arm64 for NEON; the commands asm and asm/arm64 write
// it. A [Set] holds one of them for every operation. Within a set, a result does not
// depend on how the work is cut into calls: sums over a row have 32 running values
// whatever the vectors' width, and a product adds up along k one by one. A processor's matrix
// unit, AMX, has sums of its own (thirds.go).
//
// NaN and infinities pass as Go's operators have them; elementwise functions
// state their errors against float64 as relative bounds.
package kernels

//go:generate go run ./asm -out kernels_amd64.s -stubs kernels_amd64.go -pkg kernels
//go:generate go run ./asm/arm64 -out kernels_arm64.s -stubs kernels_arm64.go

import (
	"fmt"
	"strings"
	"sync"
)

// Variable names the environment variable that forces a set.
const Variable = "CUTLINE_KERNELS"

// lanesMost is the widest vector of any set, in float32s.
const lanesMost = 16

// Set is one implementation of every kernel. The functions that it holds take
// addresses and a length in multiples of the lanes; the methods take slices of
// any length.
type Set struct {
	Name  string // "amx", "avx512", "avx2", "neon" or "portable"
	lanes int    // a power of two

	tiles     []tile     // tiles[i] is for i+1 rows
	halfTiles []halfTile // the same, for so many rows as are worth one
	lead      int        // how many rows further on in a panel a product of one tile asks; 0: it asks for nothing
	widen     func(y *float32, x *uint16, n int)
	transpose func(y, x *float32, column, n int) // y[32·i+j] = x[column·j+i] for j < 8 and i < n, a multiple of 8

	add, sub, mul, div, max, min             func(y, a, b *float32, n int)
	neg, abs, sqrt, exp, logistic, tanh, erf func(y, x *float32, n int)

	where     func(y *float32, condition *bool, a, b *float32, n int)
	sum       func(partial, x *float32, n int)
	largest   func(partial, x *float32, n int)
	squares   func(partial, x *float32, mean float32, n int)
	softmax   func(y, x, tail *float32, n int)
	normalize func(y, x, gain, bias *float32, mean, scale float32, n int)

	ask   func(x uintptr, n int) // brings n lines of the cache, or nil
	unit  *unit                  // that multiplies matrices, where there is one
	spare *sync.Pool             // of *spare
}

// tallest is the most rows of a tile of any set.
const tallest = 12

// spare is memory for the ends of rows that fill no vector.
type spare struct {
	tile, from, plus [tallest * PanelWidth]float32

	tails      [8][2 * partials]float32 // ends of rows, each before what becomes of it
	panel      [depth * PanelWidth]float32
	halves     [lanesMost]uint16
	y, a, b, c [partials]float32
	partial    [partials]float32
	condition  [lanesMost]bool
}

// withSpare gives a set its memory, which all calls share.
func withSpare(s Set) *Set {
	s.spare = &sync.Pool{New: func() any { return new(spare) }}
	return &s
}

// Sets returns what this processor runs, the fastest first; the last is the
// portable one.
func Sets() []*Set { return append(vectorSets(), portable()) }

// Choose returns the set called name, or the fastest where name is "".
func Choose(name string) (*Set, error) {
	sets := Sets()
	var names []string
	for _, s := range sets {
		if name == "" || name == s.Name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return nil, fmt.Errorf("kernels: no set %q: this processor runs %s", name, strings.Join(names, ", "))
}
