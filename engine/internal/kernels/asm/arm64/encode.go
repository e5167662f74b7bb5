package main

import "fmt"

// Go's assembler has no names for most instructions on vectors of float32s. These
// are their encodings in the A64 instruction set ("Advanced SIMD", arrangement
// 4S), with all registers 0.
var (
	threeRegisters = map[string]uint32{
		"FADD": 0x4e20d400,
		"FSUB": 0x4ea0d400,
		"FMUL": 0x6e20dc00,
		"FDIV": 0x6e20fc00,
		"FMAX": 0x4e20f400, // NaN where either is
		"FMIN": 0x4ea0f400,
		"FMLA": 0x4e20cc00, // d += n·m, rounded once
		"FMLS": 0x4ea0cc00, // d -= n·m
	}
	twoRegisters = map[string]uint32{
		"FNEG":  0x6ea0f800,
		"FABS":  0x4ea0f800,
		"FSQRT": 0x6ea1f800,
	}
	widening = map[string]struct {
		bits uint32
		from string // the arrangement of n
	}{
		"FCVTL":  {0x0e217800, "4H"}, // the first four halves
		"FCVTL2": {0x4e217800, "8H"}, // the last four
	}
	byElement = map[string]uint32{
		"FMLA": 0x4f801000, // d += n·m[0]
	}
)

// encode3 is the instruction d = n op m.
func encode3(name string, d, n, m int) string {
	return word(threeRegisters[name]|uint32(m<<16|n<<5|d), "%s V%d.4S, V%d.4S, V%d.4S", name, d, n, m)
}

// encode2 is the instruction d = op n.
func encode2(name string, d, n int) string {
	return word(twoRegisters[name]|uint32(n<<5|d), "%s V%d.4S, V%d.4S", name, d, n)
}

// encodeWiden is the instruction d = op n for halves n.
func encodeWiden(name string, d, n int) string {
	op := widening[name]
	return word(op.bits|uint32(n<<5|d), "%s V%d.4S, V%d.%s", name, d, n, op.from)
}

// encodeElement is the instruction d = n op the first value of m.
func encodeElement(name string, d, n, m int) string {
	return word(byElement[name]|uint32(m<<16|n<<5|d), "%s V%d.4S, V%d.4S, V%d.S[0]", name, d, n, m)
}

// word writes an encoding beside what Arm's assembler would call it.
func word(bits uint32, format string, operands ...any) string {
	return fmt.Sprintf("WORD $0x%08x // ", bits) + fmt.Sprintf(format, operands...)
}
