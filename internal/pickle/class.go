package pickle

import "fmt"

// global resolves a class named by two lines of text.
func (m *Machine) global() error {
	var names [2]string
	for i := range names {
		line, err := m.line(maxGlobal)
		if err != nil {
			return fmt.Errorf("the name of a class: %w", err)
		}
		names[i] = string(line)
	}
	return m.resolve(names[0], names[1])
}

// maxGlobal bounds the length of a module's or class's name.
const maxGlobal = 256

// stackGlobal resolves a class named by two strings on the stack.
func (m *Machine) stackGlobal() error {
	values, err := m.popN(2)
	if err != nil {
		return err
	}
	module, ok1 := values[0].(string)
	name, ok2 := values[1].(string)
	if !ok1 || !ok2 {
		return fmt.Errorf("a class named by %s and %s", Kind(values[0]), Kind(values[1]))
	}
	return m.resolve(module, name)
}

func (m *Machine) resolve(module, name string) error {
	v, err := m.Resolver.Class(module, name)
	return m.pushNew(costObject, v, err)
}

func (m *Machine) persistent() error {
	id, err := m.pop()
	if err != nil {
		return err
	}
	v, err := m.Resolver.Persistent(id)
	return m.pushNew(costObject, v, err)
}

func (m *Machine) reduce() error {
	values, err := m.popN(2)
	if err != nil {
		return err
	}
	call, ok1 := values[0].(Function)
	args, ok2 := values[1].(Tuple)
	if !ok1 || !ok2 {
		return fmt.Errorf("%s called with %s", Kind(values[0]), Kind(values[1]))
	}
	v, err := call(args)
	return m.pushNew(costObject, v, err)
}

// newObject makes an instance, without calling anything.
func (m *Machine) newObject() error {
	values, err := m.popN(2)
	if err != nil {
		return err
	}
	class, ok1 := values[0].(Class)
	_, ok2 := values[1].(Tuple)
	if !ok1 || !ok2 {
		return fmt.Errorf("an instance of %s made with %s", Kind(values[0]), Kind(values[1]))
	}
	return m.pushNew(costObject, &Object{Class: string(class)}, nil)
}

// build gives its state to the object below. A dict's is passed over: it is the
// _metadata that torch hangs on a state dict, which holds no tensor.
func (m *Machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	target, err := m.below()
	if err != nil {
		return err
	}
	switch target := target.(type) {
	case *Dict:
		return nil
	case Builder:
		return target.Build(state)
	}
	return fmt.Errorf("attributes set on %s", Kind(target))
}
