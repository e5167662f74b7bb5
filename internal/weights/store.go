package weights

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Declare builds the graph of network without running it. Afterwards store holds
// every variable that the graph asks for, without values where they are new.
func Declare(engine compute.Backend, store *model.Store, network func(root *model.Scope, g *graph.Graph)) error {
	g := graph.NewGraph(engine, "declare")
	defer g.Finalize()
	err := exceptions.TryCatch[error](func() { network(store.RootScope(), g) })
	if err != nil {
		return fmt.Errorf("building the network: %w", err)
	}
	return nil
}

// MismatchError tells how the tensors of a file differ from those that a network
// asks for.
type MismatchError struct {
	Missing    []string // asked for, not in the file
	Unexpected []string // in the file, not asked for
	Misshapen  []string // "name: [file's shape], want [network's]"
}

func (e *MismatchError) Error() string {
	var parts []string
	for _, list := range []struct {
		what  string
		names []string
	}{{"missing", e.Missing}, {"unexpected", e.Unexpected}, {"misshapen", e.Misshapen}} {
		if n := len(list.names); n > 0 {
			shown := list.names[:min(n, 3)]
			part := fmt.Sprintf("%d %s (%s", n, list.what, strings.Join(shown, ", "))
			if n > len(shown) {
				part += ", …"
			}
			parts = append(parts, part+")")
		}
	}
	return "tensors do not fit the network: " + strings.Join(parts, "; ")
}

// Load gives the variables of store the values of source, converted to float32.
// They must [Match]; else store is unchanged.
func Load(store *model.Store, source []Tensor) error {
	if err := Match(store, source); err != nil {
		return err
	}
	return assign(store, source, func(shape shapes.Shape, t Tensor) (*tensors.Tensor, error) {
		value := tensors.FromShape(shape)
		return value, tensors.MutableFlatData(value, t.fill)
	})
}

// LoadOn is Load for variables that engine alone reads, which holds the only copy of
// their values, halves as halves if it can.
func LoadOn(engine compute.Backend, store *model.Store, source []Tensor) error {
	if err := Match(store, source); err != nil {
		return err
	}
	return assign(store, source, func(shape shapes.Shape, t Tensor) (*tensors.Tensor, error) {
		if ours, ok := engine.(filler); ok && t.DType == F16 {
			return onBuffer(ours.HalfBuffer(shape, t.halves))
		}
		return OnEngine(engine, shape, t.fill)
	})
}

// OnEngine is a tensor that engine alone holds, with the float32s that fill writes.
func OnEngine(engine compute.Backend, shape shapes.Shape, fill func(flat []float32)) (*tensors.Tensor, error) {
	if ours, ok := engine.(filler); ok {
		return onBuffer(ours.FilledBuffer(shape, fill))
	}
	value := tensors.FromShape(shape)
	if err := tensors.MutableFlatData(value, fill); err != nil {
		return nil, err
	}
	return value, value.ToDevice(engine, 0)
}

func onBuffer(buffer compute.Buffer, err error) (*tensors.Tensor, error) {
	if err != nil {
		return nil, err
	}
	return tensors.FromBuffer(buffer)
}

// filler is an engine that lets its buffers be filled in place, with halves, too; others
// copy.
type filler interface {
	FilledBuffer(shape shapes.Shape, fill func(flat []float32)) (compute.Buffer, error)
	HalfBuffer(shape shapes.Shape, fill func(flat []uint16)) (compute.Buffer, error)
}

// Match tells whether the variables of store and the tensors of source have
// exactly the same names and shapes. If not, the error is a *MismatchError.
func Match(store *model.Store, source []Tensor) error {
	byName := index(source)
	var mismatch MismatchError
	asked := make(map[string]bool)
	for v := range store.IterVariables() {
		name := TensorName(v.Path())
		asked[name] = true
		t, ok := byName[name]
		if !ok {
			mismatch.Missing = append(mismatch.Missing, name)
		} else if want := v.Shape().Dimensions; !slices.Equal(t.Shape, want) {
			mismatch.Misshapen = append(mismatch.Misshapen, fmt.Sprintf("%s: %v, want %v", name, t.Shape, want))
		}
	}
	for name := range byName {
		if !asked[name] {
			mismatch.Unexpected = append(mismatch.Unexpected, name)
		}
	}
	if len(mismatch.Missing)+len(mismatch.Unexpected)+len(mismatch.Misshapen) > 0 {
		slices.Sort(mismatch.Missing)
		slices.Sort(mismatch.Unexpected)
		slices.Sort(mismatch.Misshapen)
		return &mismatch
	}
	return nil
}

// Asked returns the tensors of source that variables of store are named after.
func Asked(store *model.Store, source []Tensor) []Tensor {
	return slices.DeleteFunc(slices.Clone(source), func(t Tensor) bool {
		return store.GetVariable(VariablePath(t.Name)) == nil
	})
}

func index(source []Tensor) map[string]Tensor {
	byName := make(map[string]Tensor, len(source))
	for _, t := range source {
		byName[t.Name] = t
	}
	return byName
}

// assign gives each variable what make makes of its tensor.
func assign(store *model.Store, source []Tensor, make func(shape shapes.Shape, t Tensor) (*tensors.Tensor, error)) error {
	byName := index(source)
	for v := range store.IterVariables() {
		t := byName[TensorName(v.Path())]
		if err := t.CheckFloats(); err != nil {
			return err
		}
		value, err := make(v.Shape(), t)
		if err == nil {
			err = v.SetValue(value)
		}
		if err != nil {
			return fmt.Errorf("tensor %.80q: %w", t.Name, err)
		}
	}
	return nil
}

// Export returns the float32 variables of store below the given scopes as tensors
// of type dtype, sorted by name. Scopes are named because a store under training
// holds the optimiser's moments as well.
func Export(store *model.Store, dtype DType, scopes ...string) ([]Tensor, error) {
	var out []Tensor
	for v := range store.IterVariables() {
		if v.DType() != dtypes.Float32 || !below(v.Path(), scopes) {
			continue
		}
		value, err := v.Value()
		if err != nil {
			return nil, err
		}
		flat, err := tensors.CopyFlatData[float32](value)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Path(), err)
		}
		t, err := FromFloat32(TensorName(v.Path()), dtype, slices.Clone(v.Shape().Dimensions), flat)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func below(path string, scopes []string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool {
		return strings.HasPrefix(path, "/"+scope+"/")
	})
}

// TensorName is the checkpoint's name of the variable at path: "/h/0/ln_1/bias" is
// "h.0.ln_1.bias".
func TensorName(path string) string {
	return strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", ".")
}

// Shapes returns the shapes of tensors by name, from which networks infer their
// sizes.
func Shapes(tensors []Tensor) map[string][]int {
	shapes := make(map[string][]int, len(tensors))
	for _, t := range tensors {
		shapes[t.Name] = t.Shape
	}
	return shapes
}

// VariablePath is the path of the variable that TensorName names.
func VariablePath(name string) string { return "/" + strings.ReplaceAll(name, ".", "/") }
