// Package pickle reads the pickled document frequencies of the CIDEr forks that are
// used in training, such as coco-val-df.p: a dictionary {"document_frequency": {n-gram
// as a tuple of words: count}, "ref_len": number}, as Python 2 and 3 write it.
//
// A pickle is a program for a small stack machine. Python's can call anything; this one
// knows dictionaries, tuples, texts and numbers, those of NumPy among them, and calls
// nothing. A byte of the file costs about 100 bytes of memory at most.
package pickle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Frequencies is what such a file holds.
type Frequencies[K comparable] struct {
	Counts map[K]float64
	RefLen float64
}

// Values on the stack: string, raw (bytes), float64, nil for None, global, mark, and pointers
// to a dict or tuple, for they may be shared and filled later.
type (
	raw    string
	global string
	mark   struct{}
	dict   struct {
		fields map[string]any // by keys that are texts
		counts any            // by keys that are tuples; a map[K]float64
	}
	tuple struct {
		items []any
		key   any // K once it was one; then there are no items
	}
)

// maxStack bounds the stack. Python fills dictionaries in batches of 1000.
const maxStack = 1 << 14

// maxText bounds a word, a number in digits or a class's name, in bytes.
const maxText = 1 << 16

// machine is the state of a running pickle.
type machine struct {
	in    *bufio.Reader
	stack []any
	memo  []any
	count func(counts any, t *tuple, n float64) (any, error) // sets counts[t] = n
}

// Read reads the frequencies. key makes a key of an n-gram's words, or an error.
func Read[K comparable](r io.Reader, key func(words []string) (K, error)) (*Frequencies[K], error) {
	m := &machine{in: bufio.NewReader(r)}
	m.count = func(counts any, t *tuple, n float64) (any, error) {
		if counts == nil {
			counts = make(map[K]float64)
		}
		if t.key == nil {
			words, err := t.words()
			if err != nil {
				return nil, err
			}
			if t.key, err = key(words); err != nil {
				return nil, err
			}
			t.items = nil
		}
		counts.(map[K]float64)[t.key.(K)] = n
		return counts, nil
	}
	top, err := m.run()
	if err != nil {
		return nil, err
	}
	frequencies, isDict := top.fields["document_frequency"].(*dict)
	refLen, isNumber := top.fields["ref_len"].(float64)
	if !isDict || !isNumber {
		return nil, errors.New(`the pickle lacks a dictionary "document_frequency" or a number "ref_len"`)
	}
	counts, _ := frequencies.counts.(map[K]float64)
	return &Frequencies[K]{counts, refLen}, nil
}

// run executes the pickle, which must leave a dictionary.
func (m *machine) run() (*dict, error) {
	for {
		op, err := m.in.ReadByte()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err == nil && op == '.' {
			break
		}
		if err == nil {
			err = m.step(op)
		}
		if err != nil {
			return nil, fmt.Errorf("pickle: %w", err)
		}
	}
	if len(m.stack) == 1 {
		if top, ok := m.stack[0].(*dict); ok {
			return top, nil
		}
	}
	return nil, errors.New("the pickle is no dictionary")
}

// step executes what touches the stack or the memo; literal does the rest.
func (m *machine) step(op byte) error {
	switch op {
	case '(':
		return m.push(mark{})
	case '0':
		_, err := m.pop(1)
		return err
	case '}':
		return m.push(&dict{})
	case 'd':
		items, err := m.popMark()
		if err != nil {
			return err
		}
		d := &dict{}
		return errors.Join(m.setAll(d, items), m.push(d))
	case 's', 'u':
		return m.setItems(op == 'u')
	case ')':
		return m.push(&tuple{})
	case 't':
		items, err := m.popMark()
		return m.pushIf(&tuple{items: items}, err)
	case 0x85, 0x86, 0x87:
		items, err := m.pop(int(op - 0x84))
		return m.pushIf(&tuple{items: append([]any(nil), items...)}, err)
	case 'p', 'q', 'r', 0x94:
		return m.put(op)
	case 'g', 'h', 'j':
		return m.get(op)
	case 'R':
		return m.reduce()
	case 'b':
		return m.build()
	}
	return m.literal(op)
}

func (m *machine) push(v any) error {
	if len(m.stack) == maxStack {
		return fmt.Errorf("more than %d values on the stack", maxStack)
	}
	m.stack = append(m.stack, v)
	return nil
}

// pushIf pushes a value unless making it has failed.
func (m *machine) pushIf(v any, err error) error {
	if err != nil {
		return err
	}
	return m.push(v)
}

// pop takes the n top values, which are valid until the next push.
func (m *machine) pop(n int) ([]any, error) {
	if n > len(m.stack) {
		return nil, errors.New("the stack runs empty")
	}
	top := m.stack[len(m.stack)-n:]
	m.stack = m.stack[:len(m.stack)-n]
	return top, nil
}

// popMark takes a copy of the values above the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, is := m.stack[i].(mark); is {
			items := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, errors.New("no mark on the stack")
}

// setItems sets a key, or all those above the mark, in the dictionary below.
func (m *machine) setItems(all bool) error {
	var items []any
	var err error
	if all {
		items, err = m.popMark()
	} else {
		items, err = m.pop(2)
	}
	if err != nil {
		return err
	}
	if len(m.stack) == 0 {
		return errors.New("the stack runs empty")
	}
	d, ok := m.stack[len(m.stack)-1].(*dict)
	if !ok {
		return errors.New("items set in what is no dictionary")
	}
	return m.setAll(d, items)
}

func (m *machine) setAll(d *dict, items []any) (err error) {
	if len(items)%2 != 0 {
		return errors.New("a key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		switch k := items[i].(type) {
		case string:
			if d.fields == nil {
				d.fields = make(map[string]any)
			}
			d.fields[k] = items[i+1]
		case *tuple:
			n, isNumber := items[i+1].(float64)
			if !isNumber {
				return errors.New("the count of an n-gram is no number")
			}
			if d.counts, err = m.count(d.counts, k, n); err != nil {
				return err
			}
		default:
			return fmt.Errorf("a key of type %T, neither a text nor a tuple", k)
		}
	}
	return nil
}

// words returns the texts of a tuple of nothing else.
func (t *tuple) words() ([]string, error) {
	words := make([]string, len(t.items))
	for i, item := range t.items {
		var ok bool
		if words[i], ok = item.(string); !ok {
			return nil, errors.New("an n-gram that is not of words")
		}
	}
	return words, nil
}
