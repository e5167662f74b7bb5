package weights

import (
	"bytes"
	"fmt"
)

// global resolves a class named by two lines of text.
func (m *machine) global() error {
	var names [2]string
	for i := range names {
		n := bytes.IndexByte(m.in[m.pos:min(len(m.in), m.pos+maxGlobal)], '\n')
		if n < 0 {
			return fmt.Errorf("a class name without end in %d bytes", maxGlobal)
		}
		names[i] = string(m.in[m.pos : m.pos+n])
		m.pos += n + 1
	}
	return m.resolve(names[0], names[1])
}

// maxGlobal bounds the length of a module's or class's name.
const maxGlobal = 256

// stackGlobal resolves a class named by two strings on the stack.
func (m *machine) stackGlobal() error {
	values, err := m.popN(2)
	if err != nil {
		return err
	}
	module, ok1 := values[0].(string)
	name, ok2 := values[1].(string)
	if !ok1 || !ok2 {
		return fmt.Errorf("a class named by %s and %s", kind(values[0]), kind(values[1]))
	}
	return m.resolve(module, name)
}

func (m *machine) resolve(module, name string) error {
	v, err := m.resolver.class(module, name)
	return m.pushNew(costObject, v, err)
}

func (m *machine) persistent() error {
	id, err := m.pop()
	if err != nil {
		return err
	}
	v, err := m.resolver.persistent(id)
	return m.pushNew(costObject, v, err)
}

func (m *machine) reduce() error {
	values, err := m.popN(2)
	if err != nil {
		return err
	}
	call, ok1 := values[0].(reducer)
	args, ok2 := values[1].(tuple)
	if !ok1 || !ok2 {
		return fmt.Errorf("%s called with %s", kind(values[0]), kind(values[1]))
	}
	v, err := call(args)
	return m.pushNew(costObject, v, err)
}

// newObject makes an instance, without calling anything.
func (m *machine) newObject() error {
	values, err := m.popN(2)
	if err != nil {
		return err
	}
	class, ok1 := values[0].(objectClass)
	_, ok2 := values[1].(tuple)
	if !ok1 || !ok2 {
		return fmt.Errorf("an instance of %s made with %s", kind(values[0]), kind(values[1]))
	}
	return m.pushNew(costObject, &object{class: string(class)}, nil)
}

// build gives its state to the object below. A dict's is passed over: it is the
// _metadata that torch hangs on a state dict, which holds no tensor.
func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	target, err := m.top()
	if err != nil {
		return err
	}
	switch target := target.(type) {
	case *dict:
		return nil
	case builder:
		return target.build(state)
	}
	return fmt.Errorf("attributes set on %s", kind(target))
}

// kind names a value's type in errors, with its article.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "None"
	case bool:
		return "a bool"
	case int64:
		return "an int"
	case float64:
		return "a float"
	case string:
		return "a string"
	case blob:
		return "bytes"
	case tuple:
		return "a tuple"
	case *list:
		return "a list"
	case *dict:
		return "a dict"
	case reducer:
		return "a function"
	case *view:
		return "a tensor"
	}
	return "an object"
}
