//go:build onnx && cgo

package engine

import (
	"os"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// TestONNXFollowsVariables holds that a graph sees what a variable is now, trained or
// not, and not what it was when the graph was built.
func TestONNXFollowsVariables(t *testing.T) {
	library := os.Getenv("CUTLINE_ONNXRUNTIME")
	if library == "" {
		t.Skip("CUTLINE_ONNXRUNTIME names no library")
	}
	onnx, err := Open("onnx:" + library)
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	v, err := store.CreateVariable("/statistic", tensors.FromValue([]float32{1}))
	if err != nil {
		t.Fatal(err)
	}
	v.SetTrainable(false)
	exec, err := model.NewExec(onnx, store, func(root *model.Scope, x *Node) *Node {
		return Add(x, v.NodeValue(x.Graph()))
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []float32{1, 5} {
		if err := v.SetValue(tensors.FromValue([]float32{want})); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Call1(tensors.FromValue([]float32{0}))
		if err != nil {
			t.Fatal(err)
		}
		if got := out.Value().([]float32)[0]; got != want {
			t.Errorf("the graph sees %g, the variable is %g", got, want)
		}
	}
}
