package weights

import (
	"errors"
	"fmt"
	"slices"
)

// push puts a value on the stack.
func (m *machine) push(v any) error {
	if len(m.stack) == maxStack {
		return fmt.Errorf("more than %d values on the stack", maxStack)
	}
	m.stack = append(m.stack, v)
	return nil
}

// pushNew books cost bytes for a new value and pushes it, unless making the
// value has failed.
func (m *machine) pushNew(cost int, v any, err error) error {
	if err != nil {
		return err
	}
	if err := m.budget.take(cost); err != nil {
		return err
	}
	return m.push(v)
}

// pop takes the top value, which must lie above the last mark.
func (m *machine) pop() (any, error) {
	values, err := m.popN(1)
	if err != nil {
		return nil, err
	}
	return values[0], nil
}

// popN takes the n top values. They are valid until the next push.
func (m *machine) popN(n int) ([]any, error) {
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

// popMark takes a copy of the values above the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("no mark on the stack")
	}
	top := m.stack[m.marks[len(m.marks)-1]:]
	m.stack = m.stack[:len(m.stack)-len(top)]
	m.marks = m.marks[:len(m.marks)-1]
	if err := m.budget.take(costSlot * len(top)); err != nil {
		return nil, err
	}
	return slices.Clone(top), nil
}

func (m *machine) mark() error {
	if len(m.marks) == maxMarks {
		return fmt.Errorf("more than %d marks on the stack", maxMarks)
	}
	m.marks = append(m.marks, len(m.stack))
	return nil
}

func (m *machine) pushTuple(n int) error {
	items, err := m.popN(n)
	if err != nil {
		return err
	}
	return m.pushNew(costContainer+costSlot*n, append(tuple(nil), items...), nil)
}

// operands takes what an APPEND or SETITEM adds to the container below: n
// values, or all those above the mark.
func (m *machine) operands(marked bool, n int) ([]any, error) {
	if err := m.budget.take(costChunk); err != nil {
		return nil, err
	}
	if marked {
		return m.popMark()
	}
	if err := m.budget.take(costSlot * n); err != nil {
		return nil, err
	}
	items, err := m.popN(n)
	return slices.Clone(items), err
}

// top returns the value on top of the stack, which stays there.
func (m *machine) top() (any, error) {
	values, err := m.popN(1)
	if err != nil {
		return nil, err
	}
	return values[0], m.push(values[0])
}

func (m *machine) appendItems(marked bool) error {
	items, err := m.operands(marked, 1)
	if err != nil {
		return err
	}
	target, err := m.top()
	if err != nil {
		return err
	}
	l, ok := target.(*list)
	if !ok {
		return fmt.Errorf("items appended to %s", kind(target))
	}
	l.chunks = append(l.chunks, items)
	return nil
}

func (m *machine) setItems(marked bool) error {
	items, err := m.operands(marked, 2)
	if err != nil {
		return err
	}
	if len(items)%2 != 0 {
		return errors.New("a key without a value")
	}
	target, err := m.top()
	if err != nil {
		return err
	}
	d, ok := target.(*dict)
	if !ok {
		return fmt.Errorf("items set in %s", kind(target))
	}
	d.chunks = append(d.chunks, items)
	return nil
}
