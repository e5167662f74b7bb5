//go:build onnx && cgo

package engine

import (
	"os"
	"testing"
)

// TestONNX compares engines on a graph of matrix products and activations. It
// needs an ONNX Runtime library, which the repository does not carry.
func TestONNX(t *testing.T) {
	library := os.Getenv("CUTLINE_ONNXRUNTIME")
	if library == "" {
		t.Skip("CUTLINE_ONNXRUNTIME names no library")
	}
	onnx, err := Open("onnx:" + library)
	if err != nil {
		t.Fatal(err)
	}
	x, w := inputs(5, 32)
	if d := difference(run(t, onnx, network, x, w)[0], run(t, open(t), network, x, w)[0]); !(d <= 1e-6) {
		t.Errorf("onnx differs from go by %g", d)
	}
	if _, err := Open("onnx:" + library + ".missing"); err == nil {
		t.Error("a missing library opens once another one is open")
	}
}
