package engine

import (
	"slices"

	"github.com/gomlx/compute"
)

// A value that several programs read is written by one and read by the others, as the
// derivative of an activation reads what led to it. Where it is cheap, each computes it anew
// from what is in memory anyway: that takes less time, and less memory.

// cheap tells the operations that take less time than reading what they return.
func cheap(op compute.OpType) bool {
	switch op {
	case compute.OpTypeAdd, compute.OpTypeSub, compute.OpTypeMul, compute.OpTypeMax, compute.OpTypeMin, compute.OpTypeNeg, compute.OpTypeAbs:
		return true
	}
	return false
}

// findOrigins finds the values that programs may compute anew, and of each the value that it
// is computed from by cheap operations: it is the only one that is not much smaller.
func (p *planner) findOrigins() {
	for _, n := range p.live {
		if from := p.originOf(n); from != nil {
			p.origins[n.outputs[0]] = from
		}
	}
}

func (p *planner) originOf(n *node) *value {
	const worthwhile, small = 1 << 14, 16 // elements; as many times smaller
	if !p.isStep(n) || !cheap(n.op) || n.outputs[0].size() < worthwhile || p.isStored(n.outputs[0]) {
		return nil
	}
	var origin *value
	for _, v := range n.inputs {
		from := v
		if before, ok := p.origins[v]; ok {
			from = before
		}
		switch {
		case v.size()*small <= n.outputs[0].size(), from == origin:
		case origin != nil:
			return nil
		default:
			origin = from
		}
	}
	return origin
}

// isStored tells whether a value is read by others than programs, so that it is in memory
// whoever computes it anew.
func (p *planner) isStored(v *value) bool {
	return p.results[v] || slices.ContainsFunc(p.readers[v], func(r *node) bool {
		return !p.isStep(r) || !slices.Equal(r.outputs[0].shape.Dimensions, v.shape.Dimensions)
	})
}

// readAgain counts one more reading of what a node reads, by a program that computes it anew.
func (p *planner) readAgain(n *node) {
	for _, v := range n.inputs {
		p.uses[v]++
	}
}
