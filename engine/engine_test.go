package engine

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// open opens an engine for a test.
func open(t testing.TB, o Options) *Backend {
	t.Helper()
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

// TestCompliance is GoMLX's own suite. It prints which of its operations on which data types
// run natively, and which are left to GoMLX's Go engine.
func TestCompliance(t *testing.T) {
	b := open(t, FromEnvironment())
	native, left := covered{}, covered{}
	before := b.Fallbacks()
	suite(t, watched{b, func(x *Executable) {
		after := b.Fallbacks()
		for _, n := range nodesOf(x) {
			if op := n.op.String(); after[op] > before[op] {
				left.add(n)
			} else {
				native.add(n)
			}
		}
		before = after
	}})
	t.Logf("native:\n%s", native)
	t.Logf("left to GoMLX's Go engine:\n%s", left)
	// Conversions to halves, products that add up in float64 or have such a result, and layer
	// normalisation without gain and bias.
	few := []compute.OpType{compute.OpTypeConvertDType, compute.OpTypeDotGeneral, compute.OpTypeFusedLayerNorm}
	for op := range b.ops {
		if left[op.String()][dtypes.Float32] && !slices.Contains(few, op) {
			t.Errorf("%s of float32s is left to GoMLX's Go engine", op)
		}
	}
}

// nodesOf are the operations of a graph that an output depends on.
func nodesOf(x *Executable) []*node {
	needed := map[*node]bool{}
	var nodes []*node
	for _, v := range x.main.outputs {
		needed[v.node] = true
	}
	for _, n := range slices.Backward(x.main.nodes) {
		if !needed[n] {
			continue
		}
		for _, v := range n.inputs {
			if v != nil {
				needed[v.node] = true
			}
		}
		if n.op != compute.OpTypeParameter && n.op != compute.OpTypeConstant {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// covered are data types by operation.
type covered map[string]map[dtypes.DType]bool

// add adds a node with the data type of its first input, or of its output if it has none.
func (c covered) add(n *node) {
	v := n.outputs[0]
	if len(n.inputs) > 0 {
		v = n.inputs[0]
	}
	op := n.op.String()
	if c[op] == nil {
		c[op] = map[dtypes.DType]bool{}
	}
	c[op][v.shape.DType] = true
}

func (c covered) String() string {
	var text strings.Builder
	for _, op := range slices.Sorted(maps.Keys(c)) {
		text.WriteString("  " + op)
		for _, dtype := range slices.Sorted(maps.Keys(c[op])) {
			text.WriteString(" " + dtype.String())
		}
		text.WriteString("\n")
	}
	return text.String()
}
