package engine

import (
	"slices"

	"github.com/gomlx/compute"
)

// This file finds what a product can be computed together with: the program behind it, and
// the transpose in which it is read.

// source is a product that a program is applied to, and the reshape behind it, where there is
// one, which leaves the rows of its result whole.
type source struct{ product, reshape *node }

func (s source) nodes() []*node {
	return slices.DeleteFunc([]*node{s.product, s.reshape}, func(n *node) bool { return n == nil })
}

// value is what the program reads.
func (s source) value() *value {
	if s.reshape != nil {
		return s.reshape.outputs[0]
	}
	return s.product.outputs[0]
}

// epilogueOf is the product that the program ending in n is applied to, or nil.
func (p *planner) epilogueOf(n *node) *value {
	s, ok := p.sources[n]
	if !ok {
		return nil
	}
	return s.value()
}

// findSources lets programs take the place of what follows a product: one whose
// readers are all in a program of the same dims is computed by it, tile by tile.
func (p *planner) findSources() {
	for _, n := range p.live {
		if !p.isProduct(n) || p.results[n.outputs[0]] || !oneColumnAxis(n) || activated(n) {
			continue
		}
		s := source{n, p.reshapeOf(n)}
		groups := p.readBy(s.value())
		if len(groups) != 1 || len(p.stores[groups[0]]) > 0 {
			continue
		}
		last := groups[0]
		for _, before := range p.sources[last].nodes() {
			delete(p.groups, before) // the later product takes the place
		}
		p.sources[last] = s
		for _, m := range s.nodes() {
			p.groups[m] = groups
		}
	}
}

// reshapeOf is the only reader of a product, where that splits its rows, or nil.
func (p *planner) reshapeOf(n *node) *node {
	v := n.outputs[0]
	if len(p.readers[v]) != 1 || p.readers[v][0].op != compute.OpTypeReshape {
		return nil
	}
	r := p.readers[v][0]
	to, from := r.outputs[0].shape.Dimensions, v.shape.Dimensions
	if len(to) == 0 || len(from) == 0 || to[len(to)-1] != from[len(from)-1] {
		return nil
	}
	return r
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

// takeEnds lets the product's kernels do what a program does, and tells whether they can:
// where it adds a row, then a tensor that lies as the result does, and then cuts off what is
// below 0, or some of it.
func (m *matmul) takeEnds(g *program) bool {
	sums := -1 - slices.IndexFunc(g.externs, func(x extern) bool { return x.view.slot == nil })
	steps := g.steps
	take := func(op compute.OpType, suits func(x *extern) bool) *extern {
		if len(steps) == 0 {
			return nil
		}
		x := g.externBeside(steps[0], sums, op)
		if x == nil || !suits(x) {
			return nil
		}
		sums, steps = steps[0].output, steps[1:]
		return x
	}
	row := take(compute.OpTypeAdd, func(x *extern) bool { return m.bias == nil && x.isRow(g) })
	plus := take(compute.OpTypeAdd, func(x *extern) bool { return x.isDense && x.splat == nil })
	zero := take(compute.OpTypeMax, func(x *extern) bool { return x.splat != nil && x.splat[0] == 0 })
	if len(steps) > 0 {
		return false
	}
	if m.plus, m.rectify = plus, zero != nil; row != nil {
		m.bias = &row.view
	}
	return true
}

// externBeside is the tensor that a step applies op to beside value x, or nil.
func (g *program) externBeside(s programStep, x int, op compute.OpType) *extern {
	other, ok := s.beside(x, op)
	if !ok || other >= 0 {
		return nil
	}
	return &g.externs[-1-other]
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
			p.turned[n] = len(p.groups[n]) == 0 && !straight(n.outputs[0], false)
		}
	}
}
