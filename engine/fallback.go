package engine

import (
	"fmt"
	"maps"
	"sync"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// fallback runs single operations in GoMLX's Go engine.
type fallback struct {
	engine compute.Backend
	mu     sync.Mutex
	counts map[string]int
}

func newFallback(engine compute.Backend) *fallback {
	return &fallback{engine: engine, counts: map[string]int{}}
}

func (f *fallback) snapshot() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.counts)
}

// record builds a graph of one node.
func (f *fallback) record(n *node) (b compute.Builder, outputs []compute.Value, err error) {
	b = f.engine.Builder(n.op.String())
	g := b.Main()
	inputs := make([]compute.Value, len(n.inputs))
	for i, v := range n.inputs {
		if v == nil {
			continue
		}
		if inputs[i], err = g.Parameter(fmt.Sprintf("p%d", i), v.shape, nil); err != nil {
			return nil, nil, err
		}
	}
	outputs, err = n.replay(g, inputs)
	return b, outputs, err
}

// infer returns the shapes of a node's outputs.
func (f *fallback) infer(n *node) ([]shapes.Shape, error) {
	b, outputs, err := f.record(n)
	if err != nil {
		return nil, err
	}
	found := make([]shapes.Shape, len(outputs))
	for i, v := range outputs {
		if found[i], err = b.OpShape(v); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// emit adds the instruction that runs a node, whatever its operation.
func (f *fallback) emit(p *planner, n *node) error {
	b, outputs, err := f.record(n)
	if err != nil {
		return err
	}
	if err := b.Main().Return(outputs, nil); err != nil {
		return err
	}
	executable, err := b.Compile()
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.counts[n.op.String()]++
	f.mu.Unlock()
	var reads, writes []view
	for _, v := range n.inputs {
		if v != nil {
			reads = append(reads, p.dense(p.view(v)))
		}
	}
	for _, v := range n.outputs {
		writes = append(writes, p.alloc(v))
	}
	p.emit("go:"+n.op.String(), reads, writes, func(e *env) error {
		return f.run(executable, e, reads, writes)
	})
	return nil
}

func (f *fallback) run(executable compute.Executable, e *env, reads, writes []view) error {
	inputs := make([]compute.Buffer, len(reads))
	donate := make([]bool, len(reads))
	for i, r := range reads {
		buffer, err := f.engine.BufferFromFlatData(0, flatOf(e, r), shapes.Make(r.dtype, r.dims...))
		if err != nil {
			return err
		}
		inputs[i], donate[i] = buffer, true
	}
	outputs, err := executable.Execute(inputs, donate, 0)
	if err != nil {
		return err
	}
	for i, w := range writes {
		if err := outputs[i].ToFlatData(flatOf(e, w)); err != nil {
			return err
		}
		if err := outputs[i].Finalize(); err != nil {
			return err
		}
	}
	return nil
}

// flatOf is a dense view's memory as a slice of its data type.
func flatOf(e *env, v view) any {
	if v.size() == 0 {
		return dtypes.MakeAnySlice(v.dtype, 0)
	}
	bytes := e.bytes(v)
	units := (v.size() + v.dtype.ValuesPerStorageUnit() - 1) / v.dtype.ValuesPerStorageUnit()
	return dtypes.UnsafeAnySliceFromBytes(unsafe.Pointer(unsafe.SliceData(bytes)), v.dtype, units)
}
