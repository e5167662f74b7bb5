package engine

import (
	"slices"

	"github.com/gomlx/compute"
)

// This file finds what a product can be computed together with: the program behind it, and
// the transpose in which it is read.

// epilogueOf is the product that the program ending in n is applied to, or nil.
func (p *planner) epilogueOf(n *node) *value {
	source := p.sources[n]
	if source == nil {
		return nil
	}
	return source.outputs[0]
}

// findSources lets programs take the place of what follows a product: one whose
// readers are all in a program of the same dims is computed by it, tile by tile.
func (p *planner) findSources() {
	for _, n := range p.live {
		if !p.isProduct(n) || p.results[n.outputs[0]] {
			continue
		}
		last := p.joined(n.outputs[0])
		if last == nil || !oneColumnAxis(n) || activated(n) {
			continue
		}
		if before := p.sources[last]; before != nil {
			delete(p.group, before) // the later product takes the place
		}
		p.sources[last], p.group[n] = n, last
	}
}

func activated(n *node) bool {
	return n.op == compute.OpTypeFusedDense && n.attrs[0].(compute.DenseConfig).Activation != compute.ActivationNone
}

// oneColumnAxis tells whether the last axis of a product's result is that of all
// columns of B.
func oneColumnAxis(n *node) bool {
	rank := n.inputs[1].shape.Rank()
	if n.op == compute.OpTypeFusedDense {
		return rank == 2
	}
	return rank-len(n.attrs[2].([]int))-len(n.attrs[3].([]int)) == 1
}

// findTurned finds products of two matrices that are read transposed alone, as those of which
// the gradients of weights are made: what is written along rows and read along columns comes
// from memory value by value.
func (p *planner) findTurned() {
	// straight tells whether somebody reads a matrix as it is, or its transpose if turned.
	var straight func(v *value, turned bool) bool
	straight = func(v *value, turned bool) bool {
		return p.results[v] && !turned || slices.ContainsFunc(p.readers[v], func(n *node) bool {
			if n.op == compute.OpTypeTranspose {
				return straight(n.outputs[0], turned != (n.attrs[0].([]int)[0] == 1))
			}
			return !turned
		})
	}
	for _, n := range p.live {
		if n.op == compute.OpTypeDotGeneral && p.isProduct(n) && n.outputs[0].shape.Rank() == 2 && len(n.attrs[1].([]int)) == 0 {
			p.turned[n] = p.group[n] == nil && !straight(n.outputs[0], false)
		}
	}
}
