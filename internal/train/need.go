package train

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Need is what updates take.
type Need struct {
	Parameters int64 // of all networks in the store
	Trained    int64 // of these, those that move
	Weights    int64 // bytes of the parameters
	Moments    int64 // bytes of the optimiser's moments and of the averages
	Work       int64 // bytes of activations and gradients that live at the fullest moment
}

// Bytes is the least memory that the updates take in all: engines pool buffers, and the
// go engine's are Go's to collect, which multiplies it.
func (n Need) Bytes() int64 { return n.Weights + n.Moments + n.Work }

// need builds the graph of an update on such inputs, without running it, and counts.
func (u *Updater) need(inputs []*tensors.Tensor) (n Need, err error) {
	if err := u.store.SetRNGStateFromSeed(u.optimizer.Seed); err != nil {
		return n, fmt.Errorf("train: %w", err)
	}
	g := NewGraph(u.engine, "need")
	defer g.Finalize()
	var variables []*model.Variable
	err = exceptions.TryCatch[error](func() {
		nodes := make([]*Node, len(inputs))
		for i, input := range inputs {
			nodes[i] = Parameter(g, fmt.Sprintf("input%d", i), u.part(input.Shape()))
		}
		var gradients []*Node
		_, variables, gradients = u.gradients(u.store.RootScope(), nodes)
		n.Work = peak(g, gradients)
	})
	if err != nil {
		return n, fmt.Errorf("train: %w", err)
	}
	for v := range u.store.IterVariables() {
		top, _, _ := strings.Cut(strings.TrimPrefix(v.Path(), "/"), "/")
		if v.DType() == dtypes.Float32 && top != adamwScope && top != averageScope {
			n.Parameters += int64(v.Shape().Size())
			n.Weights += int64(v.Shape().ByteSize())
		}
	}
	copies := int64(2)
	if u.optimizer.Average > 0 {
		copies++
	}
	for _, v := range variables {
		n.Trained += int64(v.Shape().Size())
		n.Moments += copies * int64(v.Shape().ByteSize())
	}
	return n, nil
}

// part is the shape of what one part of an accumulated batch has of an input.
func (u *Updater) part(shape shapes.Shape) shapes.Shape {
	shape = shape.Clone()
	if n := u.optimizer.Accumulate; n > 1 && shape.Rank() > 0 {
		shape.Dimensions[0] /= n
	}
	return shape
}

// peak is the largest number of bytes that live at once when the nodes of g run one
// after another, each freed after its last use; kept ones live to the end.
func peak(g *Graph, kept []*Node) int64 {
	nodes := g.Nodes()
	last := make(map[*Node]int)
	keep := make(map[*Node]bool)
	for _, n := range kept {
		keep[n] = true
	}
	for i, n := range nodes {
		for _, input := range n.Inputs() {
			last[input] = i
		}
	}
	var live, most int64
	for i, n := range nodes {
		if _, used := last[n]; !used && !keep[n] {
			continue // nobody asks for it
		}
		live += work(n)
		most = max(most, live)
		for _, input := range slices.Compact(slices.Clone(n.Inputs())) {
			if last[input] == i && !keep[input] {
				live -= work(input)
				last[input] = -1
			}
		}
	}
	return most
}

// work is the bytes that a node makes: parameters and constants are there before, and
// a reshaped value is the value.
func work(n *Node) int64 {
	switch n.Type() {
	case NodeTypeParameter, NodeTypeConstant, NodeTypeReshape:
		return 0
	}
	if n.NumOutputs() != 1 {
		return 0
	}
	return int64(n.Shape().ByteSize())
}
