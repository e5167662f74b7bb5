package engine

import (
	"slices"

	"github.com/gomlx/compute/shapes"
)

// finish gives outputs their memory and temporary slots their places.
func (p *planner) finish() (*Executable, error) {
	x := &Executable{backend: p.backend, main: p.main, slots: p.slots}
	taken := map[*slot]bool{}
	for _, v := range p.main.outputs {
		w := p.view(v)
		if !w.isWhole() || taken[w.slot] || w.slot.kind == parameter || w.slot.kind == constant {
			w = p.copyOut(v, w)
		}
		if w.slot.kind == temporary {
			w.slot.kind = output
		}
		taken[w.slot], w.slot.returned = true, true
		x.outputs = append(x.outputs, w.slot)
		x.outputShapes = append(x.outputShapes, v.shape)
	}
	for _, v := range p.main.parameters {
		x.inputShapes = append(x.inputShapes, v.shape)
	}
	x.slots, x.instructions = p.slots, needed(p.instructions)
	x.arena = place(p.slots, x.instructions)
	x.usage = x.measure()
	p.backend.usage.note(x.usage)
	p.findReaders(x)
	return x, x.runOnce(p.once)
}

// needed drops instructions that write what nobody reads: copies that a packed
// matrix took the place of.
func needed(all []instruction) []instruction {
	read := map[*slot]bool{}
	var kept []instruction
	for i := len(all) - 1; i >= 0; i-- {
		in := all[i]
		if !slices.ContainsFunc(in.writes, func(s *slot) bool { return s.kind != temporary || read[s] }) {
			continue
		}
		for _, s := range in.reads {
			read[s] = true
		}
		kept = append(kept, in)
	}
	slices.Reverse(kept)
	return kept
}

// findReaders tells of each parameter how instructions read it.
func (p *planner) findReaders(x *Executable) {
	reads := map[*slot]int{}
	for _, in := range x.instructions {
		for _, s := range in.reads {
			reads[s]++
		}
	}
	adoptedOnes := map[int]bool{}
	for _, s := range p.slots {
		if s.kind == adopted {
			adoptedOnes[s.parameter] = true
		}
	}
	for i, s := range p.parameters {
		packs, free := p.packs[s], !adoptedOnes[i]
		only := free && reads[s] > 0 && reads[s] == len(packs)
		x.packedOnly = append(x.packedOnly, only)
		x.packedAlone = append(x.packedAlone, only && len(slices.Compact(slices.Clone(packs))) == 1)
		x.asStored = append(x.asStored, free && reads[s] == len(packs)+p.lookUps[s])
	}
}

// copyOut is a copy of an output that shares its memory with something else.
func (p *planner) copyOut(v *value, from view) view {
	w := whole(p.slot(output, bytesOf(v.shape)), v)
	p.copy(w, from)
	return w
}

// place lays the temporary slots out in an arena, whose length it returns, such
// that no two overlap that are in use at the same time.
func place(slots []*slot, instructions []instruction) int {
	for _, s := range slots {
		s.from, s.until = len(instructions), -1
	}
	for i, in := range instructions {
		for _, s := range slices.Concat(in.reads, in.writes) {
			s.from, s.until = min(s.from, i), max(s.until, i)
		}
	}
	var placed []*slot
	var order []*slot
	for _, s := range slots {
		if s.kind == temporary && s.until >= 0 {
			order = append(order, s)
		}
	}
	slices.SortStableFunc(order, func(a, b *slot) int { return b.bytes - a.bytes })
	length := 0
	for _, s := range order {
		s.offset = gap(placed, s)
		length = max(length, s.offset+s.bytes)
		at, _ := slices.BinarySearchFunc(placed, s, func(a, b *slot) int { return a.offset - b.offset })
		placed = slices.Insert(placed, at, s)
	}
	return length
}

// gap is the lowest free offset for s among the slots placed before it, which are
// in the order of their offsets.
func gap(placed []*slot, s *slot) int {
	const alignment = 64
	offset := 0
	for _, other := range placed {
		if other.until < s.from || s.until < other.from {
			continue
		}
		if offset+s.bytes <= other.offset {
			break
		}
		offset = max(offset, (other.offset+other.bytes+alignment-1)/alignment*alignment)
	}
	return offset
}

func shapesOf(values []*value) []shapes.Shape {
	all := make([]shapes.Shape, len(values))
	for i, v := range values {
		all[i] = v.shape
	}
	return all
}
