package weights

import "fmt"

// A pickle is a program for a small stack machine. Python's machine can call
// anything; this one builds plain values and asks a resolver for the rest.
//
// Values are None (nil), bool, int64, float64, string, tuple, *list, *dict,
// and whatever the resolver makes. They may share parts and contain
// themselves, and nest as deep as memory allows: whoever walks them must not
// follow them without a limit.
type (
	tuple []any
	list  struct{ items []any }
	// dict keeps its pairs in order and does not compare keys: a pickled
	// dict has no duplicates, and the reader of one looks for strings.
	dict struct{ keys, values []any }
	// reducer is a class or function that REDUCE may call.
	reducer func(args tuple) (any, error)
)

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

// What a value costs in bytes, the growth of slices and maps included.
const (
	costValue  = 128 // boxed, or held by a container
	costMemo   = 128 // an entry of the memo
	costObject = 256 // a container, or what a resolver makes
)

// machine is the state of a running pickle.
type machine struct {
	in       []byte
	pos      int
	stack    []any
	marks    []int // heights of the stack
	memo     map[uint32]any
	resolver resolver
	budget   *budget
}

// unpickle runs the pickle at the beginning of in and returns the value that
// it leaves and the bytes behind it.
func unpickle(in []byte, r resolver, b *budget) (value any, rest []byte, err error) {
	m := &machine{in: in, memo: map[uint32]any{}, resolver: r, budget: b}
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
		return m.pushNew(costObject, tuple(items), err)
	case opEmptyList:
		return m.pushNew(costObject, &list{}, nil)
	case opEmptyDict:
		return m.pushNew(costObject, &dict{}, nil)
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
	case opBuild:
		return m.build()
	}
	return m.literal(op)
}
