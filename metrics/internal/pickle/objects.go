package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// memoIndex reads the index of an opcode of the memo.
func (m *machine) memoIndex(op byte) (int, error) {
	switch op {
	case 0x94:
		return len(m.memo), nil
	case 'p', 'g':
		line, err := m.line()
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(line)
	case 'q', 'h':
		n, err := m.uint(1)
		return int(n), err
	}
	n, err := m.uint(4)
	return int(n), err
}

// put keeps the top value. Pythons number what they keep one by one, some from 1.
func (m *machine) put(op byte) error {
	i, err := m.memoIndex(op)
	switch {
	case err != nil:
		return err
	case len(m.stack) == 0:
		return errors.New("the stack runs empty")
	case i < 0 || i > len(m.memo)+1:
		return fmt.Errorf("entry %d of the memo comes out of order", i)
	}
	for len(m.memo) <= i {
		m.memo = append(m.memo, nil)
	}
	m.memo[i] = m.stack[len(m.stack)-1]
	return nil
}

func (m *machine) get(op byte) error {
	i, err := m.memoIndex(op)
	if err == nil && (i < 0 || i >= len(m.memo)) {
		err = fmt.Errorf("the memo has no entry %d", i)
	}
	if err != nil {
		return err
	}
	return m.push(m.memo[i])
}

// The classes and functions that are known, by what they make here.
const (
	classDict    = global("dict")    // filled later
	classCopy    = global("copy")    // of a dictionary
	classType    = global("type")    // of a dictionary's values
	classDtype   = global("dtype")   // of a NumPy number
	classScalar  = global("scalar")  // such a number
	classEncoded = global("encoded") // bytes, from characters
)

func (m *machine) global(op byte) error {
	var module, name string
	var err error
	if op == 'c' {
		if module, err = m.line(); err == nil {
			name, err = m.line()
		}
	} else {
		var names []any
		if names, err = m.pop(2); err == nil {
			module, _ = names[0].(string)
			name, _ = names[1].(string)
		}
	}
	if err != nil {
		return err
	}
	class, known := map[string]global{
		"collections.defaultdict": classDict,
		"collections.Counter":     classCopy, "collections.OrderedDict": classCopy,
		"__builtin__.float": classType, "__builtin__.int": classType,
		"builtins.float": classType, "builtins.int": classType,
		"numpy.dtype":                  classDtype,
		"numpy.core.multiarray.scalar": classScalar, "numpy._core.multiarray.scalar": classScalar,
		"_codecs.encode": classEncoded,
	}[module+"."+name]
	if !known {
		return fmt.Errorf("%.80q, which document frequencies do not need", module+"."+name)
	}
	return m.push(class)
}

// reduce makes what a class is called for with arguments.
func (m *machine) reduce() error {
	values, err := m.pop(2)
	if err != nil {
		return err
	}
	class, ok1 := values[0].(global)
	args, ok2 := values[1].(*tuple)
	if !ok1 || !ok2 {
		return errors.New("a call of what is no class")
	}
	v, err := construct(class, args.items)
	return m.pushIf(v, err)
}

func construct(class global, args []any) (any, error) {
	var first any
	if len(args) > 0 {
		first = args[0]
	}
	switch class {
	case classDict:
		return &dict{}, nil
	case classCopy:
		if d, ok := first.(*dict); ok {
			return d, nil
		}
		return &dict{}, nil
	case classDtype:
		if name, ok := first.(string); ok {
			return global("dtype " + name), nil
		}
	case classEncoded:
		if text, ok := first.(string); ok {
			return latin1(text)
		}
	case classScalar:
		if len(args) == 2 {
			return scalar(args[0], args[1])
		}
	}
	return nil, fmt.Errorf("%s called with other arguments than NumPy's and Python's own", class)
}

// latin1 returns the characters as a byte each.
func latin1(text string) (raw, error) {
	var b []byte
	for _, r := range text {
		if r > math.MaxUint8 {
			return "", errors.New("a byte above 255")
		}
		b = append(b, byte(r))
	}
	return raw(b), nil
}

// scalar reads a NumPy number. Python 2 has no bytes but strings.
func scalar(dtype, data any) (float64, error) {
	if text, ok := data.(string); ok {
		data = raw(text)
	}
	b, ok := data.(raw)
	switch {
	case ok && dtype == global("dtype f8") && len(b) == 8:
		return math.Float64frombits(binary.LittleEndian.Uint64([]byte(b))), nil
	case ok && dtype == global("dtype i8") && len(b) == 8:
		return float64(int64(binary.LittleEndian.Uint64([]byte(b)))), nil
	}
	return 0, errors.New("a NumPy number that is neither f8 nor i8")
}

// build takes a state, which only a NumPy type has: it says the order of bytes.
func (m *machine) build() error {
	values, err := m.pop(2)
	if err != nil {
		return err
	}
	object, state := values[0], values[1]
	args, ok := state.(*tuple)
	if _, is := object.(global); !is || !ok || slices.Contains(args.items, any(">")) {
		return errors.New("a state of what has none, or a number with its bytes reversed")
	}
	return m.push(object)
}
