package engine

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// instruction is one step of a compiled graph.
type instruction struct {
	name          string
	reads, writes []*slot
	run           func(e *env) error
}

// planner turns the recorded nodes of a graph into instructions.
type planner struct {
	backend *Backend
	main    *function

	live    []*node
	readers map[*value][]*node // live ones, one of them as often as it reads the value
	results map[*value]bool    // outputs of the graph
	uses    map[*value]int     // readers that are still to come, outputs among them
	origins map[*value]*value  // see [planner.findOrigins]
	groups  map[*node][]*node  // the last nodes of the programs that a node is part of
	parts   map[*node][]*node
	stores  map[*node][]*value // results that programs write beside their own, by their last nodes
	summed  map[*node]*node    // the sums that alone read what programs compute, by their last nodes
	sources map[*node]source   // the products that programs are applied to, by their last nodes
	turned  map[*node]bool     // products that are read transposed alone

	views        map[*value]view
	slots        []*slot
	parameters   []*slot
	instructions []instruction
	once         []instruction // those that depend on constants alone
	numbers      map[uint32][]float32
	copies       map[*slot]view     // dense copies of parameters' views
	packs        map[*slot][]layout // by parameter: the packed copies that instructions read
	lookUps      map[*slot]int      // by parameter: instructions that look rows up in it
}

// plan compiles a graph.
func plan(b *Backend, main *function) (*Executable, error) {
	p := &planner{
		backend: b, main: main, readers: map[*value][]*node{}, results: map[*value]bool{}, uses: map[*value]int{},
		origins: map[*value]*value{}, groups: map[*node][]*node{}, parts: map[*node][]*node{}, stores: map[*node][]*value{}, summed: map[*node]*node{}, sources: map[*node]source{}, turned: map[*node]bool{},
		views: map[*value]view{}, numbers: map[uint32][]float32{}, copies: map[*slot]view{}, packs: map[*slot][]layout{}, lookUps: map[*slot]int{},
	}
	p.findLive()
	p.findOrigins()
	p.findGroups()
	p.findSources()
	p.findSummed()
	p.findTurned()
	for _, v := range main.parameters {
		p.parameters = append(p.parameters, p.slot(parameter, bytesOf(v.shape)))
		p.parameters[len(p.parameters)-1].parameter = len(p.parameters) - 1
		p.views[v] = whole(p.parameters[len(p.parameters)-1], v)
	}
	for _, n := range p.live {
		if g := p.groups[n]; len(g) > 0 && g[0] != n {
			continue // computed by the last node of its program
		}
		if p.summed[n] != nil {
			continue // computed by what adds it up
		}
		if err := p.lower(n); err != nil {
			return nil, fmt.Errorf("%s: %w", n.op, err)
		}
		p.used(n)
	}
	return p.finish()
}

// findLive drops what no output depends on, and counts readers.
func (p *planner) findLive() {
	needed := map[*node]bool{}
	for _, v := range p.main.outputs {
		needed[v.node], p.results[v] = true, true
		p.uses[v]++
	}
	for i := len(p.main.nodes) - 1; i >= 0; i-- {
		n := p.main.nodes[i]
		if !needed[n] {
			continue
		}
		for _, v := range n.inputs {
			if v != nil {
				needed[v.node] = true
				p.readers[v] = append(p.readers[v], n)
				p.uses[v]++
			}
		}
	}
	for _, n := range p.main.nodes {
		if needed[n] {
			p.live = append(p.live, n)
		}
	}
}

// lower adds the instructions of a node.
func (p *planner) lower(n *node) error {
	switch n.op {
	case compute.OpTypeParameter:
		return nil
	case compute.OpTypeConstant:
		s := p.slot(constant, bytesOf(n.outputs[0].shape))
		if s.fixed = alignedBytes(s.bytes); s.bytes > 0 {
			copy(s.fixed, dtypes.UnsafeByteSliceFromAny(n.flat))
		}
		p.views[n.outputs[0]] = whole(s, n.outputs[0])
		return nil
	}
	if len(p.parts[n]) > 0 {
		p.backend.natives.Add(int64(len(p.parts[n])))
		return p.program(n)
	}
	p.backend.natives.Add(1)
	if o, ok := p.backend.ops[n.op]; ok && o.lower != nil && o.lower(p, n) {
		return nil
	}
	p.backend.natives.Add(-1)
	return p.backend.fallback.emit(p, n)
}

// used counts off the inputs of a node, and of those that were joined to it.
func (p *planner) used(n *node) {
	all := p.parts[n]
	if len(all) == 0 {
		all = []*node{n}
	}
	if s := p.sources[n]; s.product != nil {
		all = append(slices.Clone(all), s.nodes()...)
	}
	for _, m := range all {
		for _, v := range m.inputs {
			if v != nil {
				p.uses[v]--
			}
		}
	}
}

func (p *planner) slot(k kind, bytes int) *slot {
	s := &slot{index: len(p.slots), kind: k, bytes: bytes}
	p.slots = append(p.slots, s)
	return s
}

func whole(s *slot, v *value) view {
	return view{slot: s, dtype: v.shape.DType, dims: v.shape.Dimensions, strides: rowMajor(v.shape.Dimensions)}
}

// view is where a value lies.
func (p *planner) view(v *value) view {
	w, ok := p.views[v]
	if !ok {
		panic(fmt.Sprintf("no memory for the output of %s", v.node.op))
	}
	return w
}

// alloc gives a value memory of its own.
func (p *planner) alloc(v *value) view {
	p.views[v] = whole(p.slot(temporary, bytesOf(v.shape)), v)
	return p.views[v]
}

// allocPieces is alloc for a value that several instructions write.
func (p *planner) allocPieces(v *value) view {
	w := p.alloc(v)
	w.slot.pieces = true
	return w
}

// scratch is memory for n float32s that only the next instructions use.
func (p *planner) scratch(n int) view {
	return view{slot: p.slot(temporary, 4*n), dtype: dtypes.Float32, dims: []int{n}, strides: []int{1}}
}

// dense is v, or a copy of it whose elements lie in order.
func (p *planner) dense(v view) view {
	if v.isDense() {
		return v
	}
	w := view{slot: p.slot(temporary, v.dtype.SizeForDimensions(v.dims...)), dtype: v.dtype, dims: v.dims, strides: rowMajor(v.dims)}
	p.copy(w, v)
	if v.slot.kind == parameter {
		p.copies[w.slot] = v
	}
	return w
}

// emit adds an instruction. One that reads constants alone runs once, when the
// graph is compiled.
func (p *planner) emit(name string, reads, writes []view, run func(e *env) error) {
	i := instruction{name: name, run: run}
	fixed := true
	for _, v := range reads {
		i.reads = append(i.reads, v.slot)
		fixed = fixed && v.slot.kind == constant
	}
	for _, v := range writes {
		i.writes = append(i.writes, v.slot)
		fixed = fixed && v.slot.kind == temporary && !v.slot.pieces
	}
	if !fixed {
		p.instructions = append(p.instructions, i)
		return
	}
	for _, s := range i.writes {
		if s.kind = constant; s.fixed == nil {
			s.fixed = alignedBytes(s.bytes)
		}
	}
	p.once = append(p.once, i)
}

// emitParts adds an instruction of so many parts, which threads share.
func (p *planner) emitParts(name string, reads, writes []view, parts int, do func(e *env, w *worker, part int)) {
	p.emit(name, reads, writes, func(e *env) error { return e.each(parts, do) })
}

// dies tells whether the node that is being lowered is the last to read the slot
// of an input of it.
func (p *planner) dies(n *node, s *slot) bool {
	own, parts := map[*value]int{}, p.parts[n]
	if len(parts) == 0 {
		parts = []*node{n}
	}
	for _, m := range parts {
		for _, v := range m.inputs {
			if v != nil {
				own[v]++
			}
		}
	}
	for v, w := range p.views {
		if w.slot == s && p.uses[v] > own[v] {
			return false
		}
	}
	return true
}

// inputsIn counts the inputs of a node that lie in a slot.
func (p *planner) inputsIn(n *node, s *slot) int {
	count := 0
	for _, v := range n.inputs {
		if v != nil && p.view(v).slot == s {
			count++
		}
	}
	return count
}

// inPlace returns a view like v that the node being lowered may write into, with
// v's values in it, or false: the memory of v itself where nobody reads it later.
func (p *planner) inPlace(n *node, v view) (view, bool) {
	if !v.isWhole() || !p.dies(n, v.slot) || p.inputsIn(n, v.slot) > 1 {
		return v, false
	}
	switch v.slot.kind {
	case temporary, adopted:
		return v, true
	case parameter:
		s := p.slot(adopted, v.slot.bytes)
		s.parameter, s.copied = v.slot.parameter, true
		w := v
		w.slot = s
		return w, true
	}
	return v, false
}
