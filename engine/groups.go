package engine

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// findGroups joins elementwise nodes: one whose readers all belong to a program
// becomes part of it, and one that is cheap a part of each of several. A result that one
// program alone reads is written by that, as an optimiser's moments are.
func (p *planner) findGroups() {
	for i := len(p.live) - 1; i >= 0; i-- {
		n := p.live[i]
		if !p.isStep(n) {
			continue
		}
		v := n.outputs[0]
		groups := p.readersOf(v)
		full := slices.ContainsFunc(groups, func(last *node) bool { return len(p.parts[last]) >= 48 })
		if len(groups) == 0 || full || len(groups) > 1 && p.origins[v] == nil {
			groups = []*node{n}
		}
		if p.results[v] && groups[0] != n {
			p.stores[groups[0]] = append(p.stores[groups[0]], v)
		}
		p.groups[n] = groups
		for j, last := range groups {
			p.parts[last] = append(p.parts[last], n)
			if j > 0 {
				p.readAgain(n)
			}
		}
	}
	for _, parts := range p.parts {
		slices.Reverse(parts) // into the order of the graph
	}
}

// readBy are the programs that the readers of v belong to; none where v is read otherwise.
func (p *planner) readBy(v *value) []*node {
	if p.results[v] {
		return nil
	}
	return p.readersOf(v)
}

// readersOf is readBy for values that are results, too.
func (p *planner) readersOf(v *value) []*node {
	var groups []*node
	for _, r := range p.readers[v] {
		if len(p.groups[r]) == 0 || !slices.Equal(r.outputs[0].shape.Dimensions, v.shape.Dimensions) {
			return nil
		}
		for _, last := range p.groups[r] {
			if !slices.Contains(groups, last) {
				groups = append(groups, last)
			}
		}
	}
	return groups
}

// findSummed finds the programs whose values are added up along their last axes and read by
// nobody else: they need not be in memory.
func (p *planner) findSummed() {
	const long = 256 // values, fewer of which are better computed several rows at a time
	for _, n := range p.live {
		if n.op != compute.OpTypeReduceSum || n.inputs[0].shape.DType != dtypes.Float32 {
			continue
		}
		v := n.inputs[0]
		last := v.node
		_, isSource := p.sources[last]
		if len(p.parts[last]) == 0 || isSource || len(p.stores[last]) > 0 || p.results[v] || len(p.readers[v]) != 1 {
			continue
		}
		if trailing(n.attrs[0].([]int), v.shape.Dimensions) >= long {
			p.summed[last] = n
		}
	}
}

// trailing is how many values there are along axes, if they are the last ones, else 0.
func trailing(axes, dims []int) int {
	size := 1
	for i := range len(axes) {
		axis := len(dims) - 1 - i
		if !slices.Contains(axes, axis) {
			return 0
		}
		size *= dims[axis]
	}
	if len(axes) == 0 {
		return product(dims)
	}
	return size
}

// isStep tells whether a node can be part of a program.
func (p *planner) isStep(n *node) bool {
	o, ok := p.backend.ops[n.op]
	if !ok || o.step == nil || n.outputs[0].shape.DType != dtypes.Float32 || n.outputs[0].size() == 0 {
		return false
	}
	for i, v := range n.inputs {
		want := dtypes.Float32
		if o.selects && i == 0 {
			want = dtypes.Bool
		}
		if v.shape.DType != want {
			return false
		}
	}
	return true
}
