//go:build onnx && cgo

package engine

import (
	"math"
	"os"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/nn"
)

// TestONNXFollowsStatistics holds that a graph sees what the statistics of a batch norm
// are now, and not what they were when the graph was built.
func TestONNXFollowsStatistics(t *testing.T) {
	library := os.Getenv("CUTLINE_ONNXRUNTIME")
	if library == "" {
		t.Skip("CUTLINE_ONNXRUNTIME names no library")
	}
	onnx, err := Open("onnx:" + library)
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	norm := func(root *model.Scope, x *Node) *Node { return nn.BatchNorm2d(root.At("bn"), x, 1) }
	for _, mean := range []float32{1, 5} {
		for range 2 { // in a graph that makes the variables, and in one that finds them
			exec, err := model.NewExec(onnx, store, norm)
			if err != nil {
				t.Fatal(err)
			}
			for _, shift := range []float32{mean, mean + 1} {
				if v := store.GetVariable("/bn/running_mean"); v != nil {
					if err := v.SetValue(tensors.FromValue([]float32{shift})); err != nil {
						t.Fatal(err)
					}
				} else {
					shift = 0
				}
				out, err := exec.Call1(tensors.FromValue([][][][]float32{{{{10}}}}))
				if err != nil {
					t.Fatal(err)
				}
				if got, want := out.Value().([][][][]float32)[0][0][0][0], 10-shift; math.Abs(float64(got-want)) > 1e-3 {
					t.Errorf("the graph gives %g, want %g", got, want)
				}
			}
		}
	}
}
