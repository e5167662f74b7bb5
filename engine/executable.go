package engine

import (
	"fmt"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"

	"github.com/cutline-go/cutline/engine/internal/kernels"
	"github.com/cutline-go/cutline/engine/internal/team"
)

// Executable is a compiled graph. It is safe for concurrent use.
type Executable struct {
	backend      *Backend
	main         *function
	slots        []*slot
	instructions []instruction
	arena        int // bytes
	usage        Usage
	outputs      []*slot
	outputShapes []shapes.Shape
	inputShapes  []shapes.Shape
	packedOnly   []bool    // by parameter: only its packed copies are read
	packedAlone  []bool    // by parameter: and there is but one
	asStored     []bool    // by parameter: who reads it takes halves, too
	environments sync.Pool // of *env
}

var _ compute.Executable = (*Executable)(nil)

// Finalize does nothing: the garbage collector frees a graph.
func (x *Executable) Finalize() {}

// Inputs returns the names and shapes of the parameters.
func (x *Executable) Inputs() (names []string, inputShapes []shapes.Shape) {
	return x.main.names, x.inputShapes
}

// Outputs returns the shapes of the results.
func (x *Executable) Outputs() []shapes.Shape { return x.outputShapes }

// env is one execution.
type env struct {
	kernels *kernels.Set
	team    *team.Team // nil if this execution has one thread
	mem     [][]byte   // by slot
	inputs  []*Buffer
	owned   []bool // by slot: its memory is that of a donated input
	workers []worker

	packedAlone []bool // as the executable's

	// Of the instruction that runs. They lie here, not in closures of each run, so that
	// an execution allocates nothing.
	do           func(e *env, w *worker, part int)
	part         func(worker, part int) // calls do
	packed       kernels.Packed         // the matrix of a product
	toAt, fromAt int                    // where a copy begins
}

// worker is the scratch memory of a thread.
type worker struct {
	chunks [][]float32
	inputs [][]float32 // of a step
	bools  []bool
	panel  []byte
	thirds *kernels.Thirds
}

// thirdsRoom is a thread's memory for the matrix unit.
func (w *worker) thirdsRoom() *kernels.Thirds {
	if w.thirds == nil {
		w.thirds = new(kernels.Thirds)
	}
	return w.thirds
}

// room is a thread's scratch memory of n bytes, for one of a matrix's panels.
func (w *worker) room(n int) []byte {
	if len(w.panel) < n {
		w.panel = alignedBytes(n)
	}
	return w.panel[:n]
}

// panelOf is room for a panel of k rows.
func (w *worker) panelOf(k int) []float32 {
	return valuesOf[float32](w.room(sizeOf[float32]() * kernels.PanelWidth * k))
}

// bytes is a view's memory, from its first element on.
func (e *env) bytes(v view) []byte { return e.mem[v.slot.index][v.dtype.SizeForDimensions(v.offset):] }

// floats is a float32 view's memory, from its first element on.
func (e *env) floats(v view) []float32 { return slice[float32](e, v) }

// slice is a view's memory from its first element on, as values of its type.
func slice[T any](e *env, v view) []T {
	return all[T](e, v.slot)[v.offset:]
}

// all is the memory of a slot as values of a type.
func all[T any](e *env, s *slot) []T { return valuesOf[T](e.mem[s.index]) }

// each calls do for every part in [0, parts), on all threads.
func (e *env) each(parts int, do func(e *env, w *worker, part int)) error {
	e.do = do
	if e.team != nil {
		return e.team.Run(parts, e.part)
	}
	return team.Alone(parts, e.part)
}

// Execute runs the graph.
func (x *Executable) Execute(inputs []compute.Buffer, donate []bool, _ compute.DeviceNum) ([]compute.Buffer, error) {
	e, _ := x.environments.Get().(*env)
	if e == nil {
		e = x.newEnv()
	}
	defer x.environments.Put(e)
	defer e.leave()
	if err := x.take(e, inputs); err != nil {
		return nil, err
	}
	if x.arena > 0 {
		arena := x.backend.memory.take(x.arena)
		defer x.backend.memory.give(arena)
		x.bind(e, arena)
	}
	donated := func(i int) bool { return i < len(donate) && donate[i] }
	x.adopt(e, donated)
	err := x.run(e, x.instructions)
	results := x.results(e, err == nil)
	for i, b := range e.inputs {
		switch {
		case donated(i):
			b.release(1)
		case x.packedOnly[i]:
			b.drop()
		}
	}
	return results, err
}

func (x *Executable) newEnv() *env {
	e := &env{
		kernels: x.backend.kernels,
		mem:     make([][]byte, len(x.slots)), owned: make([]bool, len(x.slots)), inputs: make([]*Buffer, len(x.inputShapes)),
		workers: make([]worker, x.backend.team.Size()), packedAlone: x.packedAlone,
	}
	e.part = func(id, part int) { e.do(e, &e.workers[id], part) }
	for _, s := range x.slots {
		if s.kind == constant {
			e.mem[s.index] = s.fixed
		}
	}
	return e
}

// leave ends the use of the inputs.
func (e *env) leave() {
	for _, b := range e.inputs {
		if b != nil {
			b.users.Add(-1)
		}
	}
	clear(e.inputs)
}

// take checks the inputs and lends their memory to the execution.
func (x *Executable) take(e *env, inputs []compute.Buffer) error {
	if len(inputs) != len(x.inputShapes) {
		return fmt.Errorf("engine: %d inputs, the graph has %d parameters", len(inputs), len(x.inputShapes))
	}
	for i, input := range inputs {
		b, ok := input.(*Buffer)
		if !ok || b == nil {
			return fmt.Errorf("engine: input %d (%s) is a %T, not a buffer of this engine", i, x.main.names[i], input)
		}
		if b.finalized() {
			return fmt.Errorf("engine: input %d (%s): %w", i, x.main.names[i], errFinalized)
		}
		if !b.shape.Equal(x.inputShapes[i]) {
			return fmt.Errorf("engine: input %d (%s) has shape %s, want %s", i, x.main.names[i], b.shape, x.inputShapes[i])
		}
		b.users.Add(1)
		e.inputs[i] = b
	}
	for _, s := range x.slots {
		if s.kind != parameter || x.asStored[s.parameter] {
			continue
		}
		bytes, err := e.inputs[s.parameter].values()
		if err != nil {
			return fmt.Errorf("engine: input %d (%s): %w", s.parameter, x.main.names[s.parameter], err)
		}
		e.mem[s.index] = bytes
	}
	return nil
}

func (x *Executable) bind(e *env, arena []byte) {
	for _, s := range x.slots {
		if s.kind == temporary && s.until >= 0 {
			e.mem[s.index] = arena[s.offset : s.offset+s.bytes : s.offset+s.bytes]
		}
	}
}

// adopt gives outputs memory: that of a donated parameter where the plan says so.
func (x *Executable) adopt(e *env, donated func(int) bool) {
	for _, s := range x.slots {
		switch s.kind {
		case output:
			e.mem[s.index] = x.backend.memory.take(s.bytes)
		case adopted:
			b := e.inputs[s.parameter]
			if e.owned[s.index] = donated(s.parameter) && !x.twice(e, b); e.owned[s.index] {
				e.mem[s.index] = b.bytes
				continue
			}
			e.mem[s.index] = x.backend.memory.take(s.bytes)
			if s.copied {
				copy(e.mem[s.index], b.bytes)
			}
		}
	}
}

// twice tells whether a buffer is given for more than one parameter.
func (x *Executable) twice(e *env, b *Buffer) bool {
	n := 0
	for _, other := range e.inputs {
		if other == b {
			n++
		}
	}
	return n > 1
}

// run executes instructions one after another.
func (x *Executable) run(e *env, instructions []instruction) (err error) {
	if x.backend.team.Lock() {
		e.team = x.backend.team
		defer func() {
			e.team = nil
			x.backend.team.Unlock()
		}()
	}
	current := ""
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("engine: %s: %v", current, r)
		}
	}()
	for i := range instructions {
		current = instructions[i].name
		if err := instructions[i].run(e); err != nil {
			return fmt.Errorf("engine: %s: %w", current, err)
		}
	}
	return nil
}

// runOnce computes the constants of a plan.
func (x *Executable) runOnce(instructions []instruction) error {
	if len(instructions) == 0 {
		return nil
	}
	return x.run(x.newEnv(), instructions)
}

// results makes buffers of the outputs, or gives their memory back. They and their list
// are all that an execution allocates.
func (x *Executable) results(e *env, keep bool) []compute.Buffer {
	var results []compute.Buffer
	if keep {
		results = make([]compute.Buffer, len(x.outputs))
		buffers := make([]Buffer, len(x.outputs))
		for i, s := range x.outputs {
			b := &buffers[i]
			b.backend, b.shape, b.bytes = x.backend, x.outputShapes[i], e.mem[s.index]
			if e.owned[s.index] {
				b.pages = e.inputs[s.parameter].surrender()
			}
			results[i] = b
		}
	}
	for _, s := range x.slots {
		if s.kind == output || s.kind == adopted {
			if kept := keep && s.returned; !kept && !e.owned[s.index] {
				x.backend.memory.give(e.mem[s.index])
			}
		}
		if s.kind != constant {
			e.mem[s.index] = nil // so that a waiting env keeps no tensor alive
		}
	}
	e.packed = kernels.Packed{}
	return results
}
