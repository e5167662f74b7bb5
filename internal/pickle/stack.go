package pickle

import (
	"errors"
	"fmt"
	"slices"
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

// push puts a value on the stack.
func (m *Machine) push(v any) error {
	if len(m.stack) == maxStack {
		return fmt.Errorf("more than %d values on the stack", maxStack)
	}
	m.stack = append(m.stack, v)
	return nil
}

// pushNew books cost bytes for a new value and pushes it, unless making the
// value has failed.
func (m *Machine) pushNew(cost int, v any, err error) error {
	if err != nil {
		return err
	}
	if err := m.Budget.Take(cost); err != nil {
		return err
	}
	return m.push(v)
}

// pop takes the top value, which must lie above the last mark.
func (m *Machine) pop() (any, error) {
	values, err := m.popN(1)
	if err != nil {
		return nil, err
	}
	return values[0], nil
}

// popN takes the n top values. They are valid until the next push.
func (m *Machine) popN(n int) ([]any, error) {
	floor := 0
	if len(m.marks) > 0 {
		floor = m.marks[len(m.marks)-1]
	}
	if len(m.stack)-floor < n {
		return nil, errors.New("the stack runs empty")
	}
	top := m.stack[len(m.stack)-n:]
	m.stack = m.stack[:len(m.stack)-n]
	return top, nil
}

// popMark takes the values above the last mark, and the mark. They are valid until
// the next push.
func (m *Machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("no mark on the stack")
	}
	top := m.stack[m.marks[len(m.marks)-1]:]
	m.stack = m.stack[:len(m.stack)-len(top)]
	m.marks = m.marks[:len(m.marks)-1]
	return top, nil
}

func (m *Machine) mark() error {
	if len(m.marks) == maxMarks {
		return fmt.Errorf("more than %d marks on the stack", maxMarks)
	}
	m.marks = append(m.marks, len(m.stack))
	return nil
}

// below returns the value on top of the stack, which stays there, and lets what was
// popped from above it stay valid.
func (m *Machine) below() (any, error) {
	values, err := m.popN(1)
	if err != nil {
		return nil, err
	}
	m.stack = m.stack[:len(m.stack)+1]
	return values[0], nil
}

// tuple pushes a tuple of what popN or popMark returned. Right above a function it is
// its arguments.
func (m *Machine) tuple(items []any, err error) error {
	if err != nil {
		return err
	}
	of := m.Resolver.Tuple
	if n := len(m.stack); n > 0 {
		if _, is := m.stack[n-1].(Function); is {
			of = Values{m.Budget}.Tuple
		}
	}
	t, err := of(items)
	return m.pushNew(0, t, err)
}

// operands takes what an opcode adds to a container: n values, or all those above
// the mark.
func (m *Machine) operands(marked bool, n int) ([]any, error) {
	if marked {
		return m.popMark()
	}
	return m.popN(n)
}

func (m *Machine) list() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	l := &List{}
	return m.pushNew(costContainer, l, m.add(l, items))
}

func (m *Machine) appendItems(marked bool) error {
	items, err := m.operands(marked, 1)
	if err != nil {
		return err
	}
	target, err := m.below()
	if err != nil {
		return err
	}
	l, ok := target.(*List)
	if !ok {
		return fmt.Errorf("items appended to %s", Kind(target))
	}
	return m.add(l, items)
}

func (m *Machine) add(l *List, items []any) error {
	if err := m.Budget.Take(costChunk + costSlot*len(items)); err != nil {
		return err
	}
	l.chunks = append(l.chunks, slices.Clone(items))
	return nil
}

func (m *Machine) dict() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	d, err := m.Resolver.Dict()
	if err == nil {
		err = set(d, items)
	}
	return m.pushNew(0, d, err)
}

func (m *Machine) setItems(marked bool) error {
	items, err := m.operands(marked, 2)
	if err != nil {
		return err
	}
	target, err := m.below()
	if err != nil {
		return err
	}
	return set(target, items)
}

func set(target any, items []any) error {
	d, ok := target.(Setter)
	switch {
	case !ok:
		return fmt.Errorf("items set in %s", Kind(target))
	case len(items)%2 != 0:
		return errors.New("a key without a value")
	}
	return d.SetItems(items)
}
