package weights

import (
	"fmt"
	"iter"
)

// A pickle is a program for a small stack machine. Python's machine can call
// anything; this one builds plain values and asks a resolver for the rest.
//
// Values are None (nil), bool, int64, float64, string, blob, tuple, *list, *dict,
// *object and whatever the resolver makes. They may share parts and contain
// themselves, and nest as deep as memory allows: whoever walks them must not
// follow them without a limit.
type (
	blob  []byte // bytes, in place
	tuple []any
	// list and dict keep what each opcode adds as it came, so that large ones do
	// not move. A dict's chunks are keys and values in turn. It does not compare
	// keys: a pickled dict has no duplicates, and the reader of one looks for
	// strings.
	list struct{ chunks [][]any }
	dict struct{ chunks [][]any }
	// object is an instance of a class that the resolver allows, as its attributes.
	object struct {
		class string
		state any
	}
	// objectClass names a class whose instances are objects.
	objectClass string
	// reducer is a class or function that REDUCE may call.
	reducer func(args tuple) (any, error)
	// builder is what BUILD may give a state to.
	builder interface{ build(state any) error }
)

// pairs returns the keys and values of d in their order.
func (d *dict) pairs() iter.Seq2[any, any] {
	return func(yield func(key, value any) bool) {
		for _, chunk := range d.chunks {
			for i := 0; i < len(chunk); i += 2 {
				if !yield(chunk[i], chunk[i+1]) {
					return
				}
			}
		}
	}
}

func (o *object) build(state any) error { o.state = state; return nil }

// resolver gives a meaning to the names in a pickle. It is the allow-list:
// what it does not know is an error.
type resolver interface {
	// class returns what a global name stands for, often a reducer.
	class(module, name string) (any, error)
	// persistent returns what an id for data outside the pickle stands for.
	persistent(id any) (any, error)
}

const (
	maxStack = 1 << 16 // values; Python writes containers in batches of 1000
	maxMarks = 1 << 10 // containers begun and not ended
)

// What values cost in bytes, the growth of slices and rounding by the allocator
// included.
const (
	costNumber    = 16  // boxed
	costText      = 32  // beside its bytes and an eighth of them
	costSlot      = 18  // a value's place in a container
	costContainer = 64  // an empty one
	costChunk     = 112 // what one opcode adds to a container, beside the slots
	costMemo      = 20  // an entry of the memo, in order
	costLoose     = 128 // an entry of the memo, out of order
	costObject    = 256 // what a resolver makes
)

// machine runs pickles, one after the other.
type machine struct {
	in       []byte
	pos      int
	stack    []any
	marks    []int // heights of the stack
	memo     memo
	resolver resolver
	budget   *budget
}

// unpickle runs the pickle at the beginning of in and returns the value that
// it leaves and the bytes behind it.
func unpickle(in []byte, r resolver, b *budget) (value any, rest []byte, err error) {
	return (&machine{resolver: r, budget: b}).run(in)
}

func (m *machine) run(in []byte) (value any, rest []byte, err error) {
	m.in, m.pos, m.stack, m.marks = in, 0, m.stack[:0], m.marks[:0]
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
			return nil, nil, fmt.Errorf("pickle byte %d: %w", at, err)
		}
	}
	if len(m.stack) != 1 || len(m.marks) > 0 {
		return nil, nil, fmt.Errorf("the pickle leaves %d values and %d marks, not one value", len(m.stack), len(m.marks))
	}
	return m.stack[0], in[m.pos:], nil
}

// step executes the opcodes that touch the stack, the memo or the resolver;
// literal does the others.
func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		return m.proto()
	case opFrame:
		return m.frame()
	case opMark:
		return m.mark()
	case opEmptyTuple:
		return m.pushTuple(0)
	case opTuple1, opTuple2, opTuple3:
		return m.pushTuple(int(op-opTuple1) + 1)
	case opTuple:
		items, err := m.popMark()
		return m.pushNew(costContainer, tuple(items), err)
	case opEmptyList:
		return m.pushNew(costContainer, &list{}, nil)
	case opEmptyDict:
		return m.pushNew(costContainer, &dict{}, nil)
	case opAppend, opAppends:
		return m.appendItems(op == opAppends)
	case opSetItem, opSetItems:
		return m.setItems(op == opSetItems)
	case opBinPut, opLongBinPut, opMemoize:
		return m.put(op)
	case opBinGet, opLongBinGet:
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
