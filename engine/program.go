package engine

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"github.com/gomlx/compute"

	"github.com/cutline-go/cutline/engine/internal/kernels"
)

// chunk is how many elements a program works on at a time: few enough that what
// its steps hand on stays in the first cache.
const chunk = 1024

// step is an elementwise operation on float32s.
type step func(s *kernels.Set, y []float32, x [][]float32)

// program is a group of elementwise operations on tensors of the same dims, run
// together chunk by chunk.
type program struct {
	outer     []int // dims of the rows
	inner     int   // length of a row
	size      int   // of the result
	externs   []extern
	steps     []programStep
	registers int
	stores    map[int]view // registers that are parts of results
}

// extern is a tensor that a program reads, repeated to the program's dims.
type extern struct {
	view   view
	outer  []int     // strides by the axes of outer
	stride int       // within a row
	splat  []float32 // a constant scalar, a chunk of it

	isDense bool // see [extern.dense]
}

type programStep struct {
	op        compute.OpType
	run       step
	condition *extern
	inputs    []int // registers, or externs as −1−index
	output    int   // −1 for the result
}

// beside is what op is applied to beside value x, where that is what a step does.
func (s programStep) beside(x int, op compute.OpType) (int, bool) {
	switch {
	case s.op != op:
		return 0, false
	case s.inputs[0] == x:
		return s.inputs[1], true
	}
	return s.inputs[0], s.inputs[1] == x
}

// program adds the instruction of the group that ends in n.
func (p *planner) program(n *node) error {
	out := n.outputs[0]
	source := p.epilogueOf(n)
	if source == nil && p.overwrites(n) {
		return nil
	}
	var result view
	if source == nil {
		result = p.alloc(out)
	}
	g, reads := p.build(n, source)
	if source != nil {
		return p.matmulWith(p.sources[n].product, g, reads, out)
	}
	rows := product(g.outer)
	// Short rows are run through several at a time, so that the kernels have something to
	// do; parts are of about 16 chunks, of whole rows where rows are short.
	together := max(1, chunk/max(1, g.inner))
	rowsPer := max(1, 16*chunk/max(1, g.inner))
	colsPer := g.inner
	if rows == 1 {
		colsPer = 16 * chunk
	}
	cuts := (g.inner + colsPer - 1) / colsPer
	parts := (rows + rowsPer - 1) / rowsPer * cuts
	p.emitParts("elementwise", reads, append(g.stored(), result), parts, func(e *env, w *worker, part int) {
		y := e.floats(result)
		first := part / cuts * rowsPer
		from := part % cuts * colsPer
		last := min(first+rowsPer, rows)
		for row := first; row < last; row += together {
			if n := min(together, last-row); n > 1 {
				g.run(e, w, window{row, n, 0}, y[row*g.inner:(row+n)*g.inner], nil)
				continue
			}
			for col := from; col < min(from+colsPer, g.inner); col += chunk {
				n := min(chunk, g.inner-col, from+colsPer-col)
				at := row*g.inner + col
				g.run(e, w, window{row, 1, col}, y[at:at+n], nil)
			}
		}
	})
	return nil
}

// build compiles the group that ends in n. If source is not nil, it is a product
// [M, N] that the program is applied to in place, and rows are those of C.
func (p *planner) build(n *node, source *value) (*program, []view) {
	g := &program{stores: map[int]view{}}
	dims := n.outputs[0].shape.Dimensions
	register := map[*value]int{}
	parts := p.parts[n]
	remaining := map[*value]int{}
	for _, m := range parts {
		for _, v := range m.inputs {
			remaining[v]++
		}
	}
	var reads []view
	var free []int
	for _, m := range parts {
		s := programStep{op: m.op, run: p.backend.ops[m.op].step}
		inputs := m.inputs
		if p.backend.ops[m.op].selects {
			e := extern{view: p.view(inputs[0]).like(dims)}
			reads = append(reads, e.view)
			s.condition, inputs = &e, inputs[1:]
		}
		for _, v := range inputs {
			at, ok := register[v]
			if !ok {
				at = -1 - len(g.externs)
				register[v] = at
				e := extern{}
				if v == source {
					e.outer = nil
				} else {
					e.view = p.view(v).like(dims)
					e.splat = p.splat(p.view(v))
					reads = append(reads, e.view)
				}
				g.externs = append(g.externs, e)
			}
			s.inputs = append(s.inputs, at)
		}
		for _, v := range inputs {
			_, stored := g.stores[register[v]]
			if remaining[v]--; remaining[v] == 0 && register[v] >= 0 && !stored {
				free = append(free, register[v])
			}
		}
		switch {
		case m == n:
			s.output = -1
		case slices.Contains(p.stores[n], m.outputs[0]):
			s.output = g.registers
			g.stores[g.registers] = p.alloc(m.outputs[0])
			g.registers++
		case len(free) > 0:
			s.output, free = free[len(free)-1], free[:len(free)-1]
		default:
			s.output = g.registers
			g.registers++
		}
		register[m.outputs[0]] = s.output
		g.steps = append(g.steps, s)
	}
	sourceAt := -1
	if source != nil {
		sourceAt = -1 - register[source]
	}
	g.layOut(dims, sourceAt)
	return g, reads
}

// stored are the results that a program writes beside its own.
func (g *program) stored() []view { return slices.Collect(maps.Values(g.stores)) }

// layOut finds the rows that all tensors of a program run through with one
// stride each. The rows of a product are those of its last axis.
func (g *program) layOut(dims []int, source int) {
	var views []*extern
	for i := range g.externs {
		if i != source {
			views = append(views, &g.externs[i])
		}
	}
	for i := range g.steps {
		if c := g.steps[i].condition; c != nil {
			views = append(views, c)
		}
	}
	// Axes that every tensor runs through with one stride are joined.
	var kept []int // the last of each group of axes
	var lengths []int
	for axis := range dims {
		if dims[axis] == 1 && !(source >= 0 && axis == len(dims)-1) {
			continue
		}
		last := len(kept) - 1
		joins := last >= 0 && !(source >= 0 && axis == len(dims)-1)
		for _, e := range views {
			joins = joins && e.view.strides[kept[last]] == dims[axis]*e.view.strides[axis]
		}
		if joins {
			kept[last], lengths[last] = axis, lengths[last]*dims[axis]
		} else {
			kept, lengths = append(kept, axis), append(lengths, dims[axis])
		}
	}
	g.inner, g.size = 1, product(dims)
	if n := len(kept); n > 0 {
		g.inner, g.outer = lengths[n-1], lengths[:n-1]
	}
	for _, e := range views {
		for i, axis := range kept {
			if i == len(kept)-1 {
				e.stride = e.view.strides[axis]
			} else {
				e.outer = append(e.outer, e.view.strides[axis])
			}
		}
		e.isDense = e.dense(g)
	}
}

// splat is a chunk full of a scalar constant that is known already.
func (p *planner) splat(v view) []float32 {
	for i, d := range v.dims {
		if d != 1 && v.strides[i] != 0 {
			return nil
		}
	}
	if v.slot.kind != constant || v.slot.fixed == nil || p.isWritten(v.slot) {
		return nil
	}
	number := math.Float32frombits(binary.LittleEndian.Uint32(v.slot.fixed[4*v.offset:]))
	bits := math.Float32bits(number)
	if p.numbers[bits] == nil {
		p.numbers[bits] = slices.Repeat([]float32{number}, chunk)
	}
	return p.numbers[bits]
}

// isWritten tells whether an instruction computes a constant, so that its value
// is not known yet.
func (p *planner) isWritten(s *slot) bool {
	return slices.ContainsFunc(p.once, func(i instruction) bool { return slices.Contains(i.writes, s) })
}

// window is a part of a program's result: of some rows the columns from col on, as many as
// the memory that it goes to has room for.
type window struct{ row, rows, col int }

// run computes the window y. produced is what a product wrote there, which may be y itself.
func (g *program) run(e *env, w *worker, b window, y, produced []float32) {
	n := len(y)
	g.askForNext(e, b, n)
	for i := range g.steps {
		s := &g.steps[i]
		inputs := w.inputs[:0]
		for _, at := range s.inputs {
			if at >= 0 {
				inputs = append(inputs, g.register(e, w, at, b)[:n])
				continue
			}
			switch x := &g.externs[-1-at]; {
			case x.view.slot == nil:
				inputs = append(inputs, produced)
			case x.splat != nil:
				inputs = append(inputs, x.splat[:n])
			default:
				inputs = append(inputs, read(x, all[float32](e, x.view.slot), w.chunk(g.registers - 1 - at)[:n], g, b))
			}
		}
		w.inputs = inputs
		to := y
		if s.output >= 0 {
			to = g.register(e, w, s.output, b)[:n]
		}
		if c := s.condition; c != nil {
			e.kernels.Where(to, read(c, all[bool](e, c.view.slot), w.conditions()[:n], g, b), inputs[0], inputs[1])
			continue
		}
		s.run(e.kernels, to, inputs)
	}
}

// askForNext asks for what the window of n values behind one reads, where it is not the last:
// it is wanted next, probably.
func (g *program) askForNext(e *env, b window, n int) {
	from := b.row*g.inner + b.col + n
	to := min(from+n, g.size)
	for i := range g.externs {
		if x := &g.externs[i]; x.isDense && x.view.slot != nil {
			e.kernels.Ask(all[float32](e, x.view.slot)[x.view.offset:], from, to-from)
		}
	}
}

// register is the memory of a register: a thread's own, or a window of a result.
func (g *program) register(e *env, w *worker, i int, b window) []float32 {
	if v, ok := g.stores[i]; ok {
		return e.floats(v)[b.row*g.inner+b.col:]
	}
	return w.chunk(i)
}

// at is the index of the element (row, col).
func (x *extern) at(outer []int, row, col int) int {
	index := x.view.offset + col*x.stride
	for i := len(outer) - 1; i >= 0; i-- {
		index += row % outer[i] * x.outer[i]
		row /= outer[i]
	}
	return index
}

// dense tells whether x lies in memory as the result does, row behind row.
func (x *extern) dense(g *program) bool {
	next := g.inner
	for i := len(g.outer) - 1; i >= 0; i-- {
		if g.outer[i] > 1 && x.outer[i] != next {
			return false
		}
		next *= g.outer[i]
	}
	return x.stride == 1
}

// isRow tells whether all rows of the result have the same of x, which lies value by value.
func (x *extern) isRow(g *program) bool {
	for i, stride := range x.outer {
		if g.outer[i] > 1 && stride != 0 {
			return false
		}
	}
	return x.stride == 1
}

// read returns what a tensor has in a window: where it lies, or copied to buffer, which is
// of the window's size.
func read[T any](x *extern, from, buffer []T, g *program, b window) []T {
	at := x.at(g.outer, b.row, b.col)
	if b.rows == 1 {
		return gather(from, buffer, at, x.stride, len(buffer))
	}
	cols := len(buffer) / b.rows
	if x.isDense && cols == g.inner {
		return from[at : at+len(buffer)]
	}
	for i := range b.rows {
		row := buffer[i*cols : (i+1)*cols]
		if at := x.at(g.outer, b.row+i, b.col); x.stride == 1 {
			copy(row, from[at:at+cols])
		} else {
			gather(from, row, at, x.stride, cols)
		}
	}
	return buffer
}

func gather[T any](from, buffer []T, at, stride, n int) []T {
	switch stride {
	case 1:
		return from[at : at+n]
	case 0:
		spread(buffer[:n], from[at])
	default:
		for i := range buffer[:n] {
			buffer[i] = from[at+i*stride]
		}
	}
	return buffer[:n]
}

// scratch is memory of a chunk that the program does not use.
func (g *program) scratch(w *worker) []float32 { return w.chunk(g.registers + len(g.externs)) }

// chunk is a thread's scratch memory number i.
func (w *worker) chunk(i int) []float32 {
	for len(w.chunks) <= i {
		w.chunks = append(w.chunks, make([]float32, chunk))
	}
	return w.chunks[i]
}

// conditions is a thread's scratch memory for bools.
func (w *worker) conditions() []bool {
	if w.bools == nil {
		w.bools = make([]bool, chunk)
	}
	return w.bools
}
