package main

import (
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func bits(value float32) uint32 { return math.Float32bits(value) }

// table remembers the constants written so far, by name.
var table = map[string]Mem{}

func words(name string, value uint32) Mem {
	if m, ok := table[name]; ok {
		return m
	}
	m := GLOBL(name, attr.RODATA|attr.NOPTR)
	for i := range 16 {
		DATA(4*i, U32(value))
	}
	table[name] = m
	return m
}
