//go:build race

package engine

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/support/backendtest"
)

// GoMLX's Go engine computes addresses outside of its arrays when it multiplies, which the
// checks of pointers that come with the race detector end a program for. So what is run
// under it multiplies with this engine alone.

// reference opens this engine with plain kernels and one thread, which every run without
// the race detector compares with GoMLX's.
func reference(t testing.TB) compute.Backend {
	t.Helper()
	return open(t, Options{Kernels: "portable", Threads: 1})
}

// suite is GoMLX's own but for products, whose data types other than float32 are GoMLX's.
func suite(t *testing.T, b compute.Backend) {
	t.Run("BinaryOps", func(t *testing.T) { backendtest.TestBinaryOps(t, b) })
	t.Run("UnaryOps", func(t *testing.T) { backendtest.TestUnaryOps(t, b) })
	t.Run("ConvertDType", func(t *testing.T) { backendtest.TestConvertDType(t, b) })
	t.Run("Bitcast", func(t *testing.T) { backendtest.TestBitcast(t, b) })
	t.Run("Exec", func(t *testing.T) { backendtest.TestExec(t, b) })
	t.Run("Functions", func(t *testing.T) { backendtest.TestFunctions(t, b) })
	t.Run("ConvGeneral", func(t *testing.T) { backendtest.TestConvGeneral(t, b, nil) })
	t.Run("SpecialOps", func(t *testing.T) { backendtest.TestSpecialOps(t, b) })
	t.Run("FusedOps", func(t *testing.T) { backendtest.TestFusedOps(t, b) })
	t.Run("Barriers", func(t *testing.T) { backendtest.TestBarriers(t, b) })
}
