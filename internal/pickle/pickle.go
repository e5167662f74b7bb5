// Package pickle reads what Python's pickle module wrote.
//
// A pickle is a program for a small stack machine. Python's machine can call
// anything; this one builds plain values, asks a [Resolver] for the rest, and
// books the memory of all that it makes beforehand.
package pickle

import (
	"bufio"
	"fmt"
)

const (
	maxStack = 1 << 16 // values; Python writes containers in batches of 1000
	maxMarks = 1 << 10 // containers begun and not ended
)

// Machine runs pickles, one after the other.
type Machine struct {
	Resolver Resolver
	Budget   *Budget

	in      []byte
	stream  *bufio.Reader // where in comes from bit by bit
	pos     int
	stack   []any
	marks   []int // heights of the stack
	memo    memo
	scratch []byte
}

// Run runs the pickle at the beginning of in and returns the value that it
// leaves and the bytes behind it. [Bytes] are borrowed from in.
func (m *Machine) Run(in []byte) (value any, rest []byte, err error) {
	m.in, m.stream = in, nil
	if value, err = m.run(); err != nil {
		return nil, nil, err
	}
	return value, in[m.pos:], nil
}

// RunStream runs the pickle that comes next in a stream, no text of which is longer
// than the stream's buffer. Each byte read adds four to the budget.
func (m *Machine) RunStream(in *bufio.Reader) (value any, err error) {
	m.in, m.stream = nil, in
	return m.run()
}

func (m *Machine) run() (any, error) {
	m.pos, m.stack, m.marks = 0, m.stack[:0], m.marks[:0]
	m.memo.clear()
	for {
		at := m.pos
		op, err := m.byte()
		if err == nil && op == opStop {
			break
		}
		if err == nil {
			err = m.step(op)
		}
		if err != nil {
			return nil, fmt.Errorf("pickle byte %d: %w", at, err)
		}
	}
	if len(m.stack) != 1 || len(m.marks) > 0 {
		return nil, fmt.Errorf("the pickle leaves %d values and %d marks, not one value", len(m.stack), len(m.marks))
	}
	return m.stack[0], nil
}

// step executes the opcodes that touch the stack, the memo or the resolver;
// literal does the others.
func (m *Machine) step(op byte) error {
	switch op {
	case Proto:
		return m.proto()
	case Frame:
		return m.frame()
	case opMark:
		return m.mark()
	case opPop:
		_, err := m.pop()
		return err
	case opEmptyTuple:
		return m.tuple(m.popN(0))
	case opTuple1, opTuple2, opTuple3:
		return m.tuple(m.popN(int(op-opTuple1) + 1))
	case opTuple:
		return m.tuple(m.popMark())
	case opEmptyList:
		return m.pushNew(costContainer, &List{}, nil)
	case opEmptyDict:
		d, err := m.Resolver.Dict()
		return m.pushNew(0, d, err)
	case opList:
		return m.list()
	case opDict:
		return m.dict()
	case opAppend, opAppends:
		return m.appendItems(op == opAppends)
	case opSetItem, opSetItems:
		return m.setItems(op == opSetItems)
	case opPut, opBinPut, opLongBinPut, opMemoize:
		return m.put(op)
	case opGet, opBinGet, opLongBinGet:
		return m.get(op)
	case opGlobal:
		return m.global()
	case opStackGlobal:
		return m.stackGlobal()
	case opBinPersID:
		return m.persistent()
	case opReduce:
		return m.reduce()
	case opNewObj:
		return m.newObject()
	case opBuild:
		return m.build()
	}
	return m.literal(op)
}
