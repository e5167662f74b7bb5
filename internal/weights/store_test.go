package weights_test

import (
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/engine"
	"github.com/cutline-go/cutline/internal/weights"
)

// TestLoadOn: an engine, this project's or another, holds the only copy of the values,
// which a graph and who asks for them find.
func TestLoadOn(t *testing.T) {
	values := []float32{1, -2, 0.5, 4, 0, 65504}
	half, err := weights.FromFloat32("net.w", weights.F16, []int{2, 3}, values)
	if err != nil {
		t.Fatal(err)
	}
	network := func(root *model.Scope, g *graph.Graph) *graph.Node {
		return root.At("net").VariableWithShape("w", shapes.Make(dtypes.Float32, 2, 3)).NodeValue(g)
	}
	for _, name := range engine.Names()[:2] {
		e, err := engine.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		store := model.NewStore()
		if err := weights.Declare(e, store, func(root *model.Scope, g *graph.Graph) { network(root, g) }); err != nil {
			t.Fatal(err)
		}
		if err := weights.LoadOn(e, store, []weights.Tensor{half}); err != nil {
			t.Fatal(err)
		}
		value, err := store.GetVariable("/net/w").Value()
		if err != nil || value.HasLocal() {
			t.Errorf("%s: the values are in memory twice: %v", name, err)
		}
		twice, err := model.CallOnce(e, store, func(root *model.Scope, g *graph.Graph) *graph.Node {
			return graph.MulScalar(network(root, g), 2)
		})
		if err != nil {
			t.Fatal(err)
		}
		for scale, x := range map[float32]*tensors.Tensor{1: value, 2: twice} {
			got, err := tensors.CopyFlatData[float32](x)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				got[i] /= scale
			}
			if !slices.Equal(got, values) {
				t.Errorf("%s: %v, want %v", name, got, values)
			}
		}
		if err := weights.LoadOn(e, store, nil); err == nil {
			t.Errorf("%s: loaded from no tensors", name)
		}
	}
}
