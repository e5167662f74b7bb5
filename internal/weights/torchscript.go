package weights

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cutline-go/cutline/internal/pickle"
)

// scriptClass returns what TorchScript's own names stand for. A module is an object
// of a class below __torch__, whose attributes are its parameters, its buffers,
// plain values, and the modules in it; the class's code is never looked at. Typed
// lists are wrapped in functions of torch.jit._pickle.
// Source: torch/csrc/jit/serialization/pickler.cpp and torch/jit/_pickle.py.
func scriptClass(module, name string) (any, bool) {
	if module == "__torch__" || strings.HasPrefix(module, "__torch__.") {
		return pickle.Class(name), true
	}
	switch module + "." + name {
	case "torch.jit._pickle.build_intlist", "torch.jit._pickle.build_tensorlist", "torch.jit._pickle.build_doublelist",
		"torch.jit._pickle.build_boollist", "torch.jit._pickle.build_tensor_from_id", "torch.jit._pickle.restore_type_tag":
		return pickle.Function(firstArgument), true
	}
	return nil, false
}

func firstArgument(args pickle.Tuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a typed value without the value")
	}
	return args[0], nil
}

const (
	// maxModules bounds how deep modules nest; CLIP's do so six times.
	maxModules = 64
	// costVisit is the memory of an attribute's entry in the result, beside its name.
	costVisit = 256
)

// moduleViews adds the tensors of a module and those in it to found, each named by the
// path of attributes that leads to it, as in the module's state dict.
func moduleViews(o *pickle.Object, prefix string, depth int, b *pickle.Budget, found *[]namedView) error {
	attributes, ok := o.State.(*pickle.Dict)
	if !ok {
		return nil // nothing was set
	}
	if depth == maxModules {
		return fmt.Errorf("modules nest more than %d deep", maxModules)
	}
	for key, value := range attributes.Pairs() {
		name, ok := key.(string)
		if !ok {
			continue
		}
		// A module may be met by many paths.
		if err := b.Take(costVisit + len(prefix) + len(name)); err != nil {
			return err
		}
		switch value := value.(type) {
		case *view:
			*found = append(*found, namedView{prefix + name, value})
		case *pickle.Object:
			if err := moduleViews(value, prefix+name+".", depth+1, b, found); err != nil {
				return err
			}
		}
	}
	return nil
}
