package engine

import (
	"fmt"

	"github.com/gomlx/compute"
)

// The operations that take functions run in GoMLX's Go engine. What a closure
// reads of its parents becomes an input of the operation.

func (f *function) Call(callee compute.Function, inputs ...compute.Value) ([]compute.Value, error) {
	called, err := f.functions(callee)
	if err != nil {
		return nil, fmt.Errorf("engine: Call: %w", err)
	}
	return f.withFunctions(compute.OpTypeCall, called, inputs,
		func(g compute.Function, fs []compute.Function, v []compute.Value) ([]compute.Value, error) {
			return g.Call(fs[0], v...)
		})
}

func (f *function) Sort(comparator compute.Function, axis int, stable bool, inputs ...compute.Value) ([]compute.Value, error) {
	called, err := f.functions(comparator)
	if err != nil {
		return nil, fmt.Errorf("engine: Sort: %w", err)
	}
	return f.withFunctions(compute.OpTypeSort, called, inputs,
		func(g compute.Function, fs []compute.Function, v []compute.Value) ([]compute.Value, error) {
			return g.Sort(fs[0], axis, stable, v...)
		})
}

func (f *function) While(condition, body compute.Function, state ...compute.Value) ([]compute.Value, error) {
	called, err := f.functions(condition, body)
	if err != nil {
		return nil, fmt.Errorf("engine: While: %w", err)
	}
	return f.withFunctions(compute.OpTypeWhile, called, state,
		func(g compute.Function, fs []compute.Function, v []compute.Value) ([]compute.Value, error) {
			return g.While(fs[0], fs[1], v...)
		})
}

func (f *function) If(predicate compute.Value, yes, no compute.Function) ([]compute.Value, error) {
	called, err := f.functions(yes, no)
	if err != nil {
		return nil, fmt.Errorf("engine: If: %w", err)
	}
	return f.withFunctions(compute.OpTypeIf, called, []compute.Value{predicate},
		func(g compute.Function, fs []compute.Function, v []compute.Value) ([]compute.Value, error) {
			return g.If(v[0], fs[0], fs[1])
		})
}

func (f *function) functions(fs ...compute.Function) ([]*function, error) {
	var ours []*function
	for _, g := range fs {
		o, ok := g.(*function)
		if !ok || o == nil || o.builder != f.builder {
			return nil, fmt.Errorf("not a function of this builder: %T", g)
		}
		if !o.returned {
			return nil, fmt.Errorf("function %q has not returned", o.name)
		}
		ours = append(ours, o)
	}
	return ours, nil
}

// withFunctions records an operation that calls functions. The values of parents
// that they read follow the inputs.
func (f *function) withFunctions(op compute.OpType, called []*function, inputs []compute.Value,
	again func(compute.Function, []compute.Function, []compute.Value) ([]compute.Value, error)) ([]compute.Value, error) {
	var free []*value
	for _, g := range called {
		free = g.free(g, free)
	}
	all, n := join(inputs), len(inputs)
	for _, v := range free {
		all = append(all, v)
	}
	return f.capture(op, all, nil, func(g compute.Function, v []compute.Value) ([]compute.Value, error) {
		outer := map[*value]compute.Value{}
		for i, captured := range free {
			outer[captured] = v[n+i]
		}
		var again2 []compute.Function
		for i, c := range called {
			copied, err := c.copyTo(g, outer, fmt.Sprintf("%s_%d", c.name, i))
			if err != nil {
				return nil, err
			}
			again2 = append(again2, copied)
		}
		return again(g, again2, v[:n])
	})
}

// free adds the values that f reads of functions outside of root.
func (f *function) free(root *function, found []*value) []*value {
	read := append([]*value(nil), f.outputs...)
	for _, n := range f.nodes {
		read = append(read, n.inputs...)
	}
	for _, v := range read {
		if v != nil && !v.function.within(root) && !contains(found, v) {
			found = append(found, v)
		}
	}
	return found
}

func (f *function) within(root *function) bool {
	for ; f != nil; f = f.parent {
		if f == root {
			return true
		}
	}
	return false
}

func contains(vs []*value, v *value) bool {
	for _, w := range vs {
		if v == w {
			return true
		}
	}
	return false
}

// copyTo records f again as a closure or function beside g.
func (f *function) copyTo(g compute.Function, outer map[*value]compute.Value, name string) (compute.Function, error) {
	var to compute.Function
	var err error
	if f.parent != nil {
		to, err = g.Closure()
	} else {
		to, err = g.Builder().NewFunction(name)
	}
	if err != nil {
		return nil, err
	}
	known := map[*value]compute.Value{}
	for v, w := range outer {
		known[v] = w
	}
	parameter := 0
	for _, n := range f.nodes {
		if n.op == compute.OpTypeParameter {
			v := n.outputs[0]
			if known[v], err = to.Parameter(f.names[parameter], v.shape, nil); err != nil {
				return nil, err
			}
			parameter++
			continue
		}
		if err := again(to, n, known); err != nil {
			return nil, err
		}
	}
	outputs := make([]compute.Value, len(f.outputs))
	for i, v := range f.outputs {
		outputs[i] = known[v]
	}
	return to, to.Return(outputs, nil)
}

// again records a node in g, whose inputs are known.
func again(g compute.Function, n *node, known map[*value]compute.Value) error {
	inputs := make([]compute.Value, len(n.inputs))
	for i, v := range n.inputs {
		if v != nil {
			inputs[i] = known[v]
		}
	}
	outputs, err := n.replay(g, inputs)
	if err != nil {
		return err
	}
	for i, v := range n.outputs {
		known[v] = outputs[i]
	}
	return nil
}
