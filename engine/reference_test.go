//go:build !race

package engine

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/support/backendtest"
)

// reference opens GoMLX's Go engine.
func reference(t testing.TB) compute.Backend {
	t.Helper()
	b, err := gobackend.New("ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// suite is GoMLX's own.
func suite(t *testing.T, b compute.Backend) { backendtest.RunAll(t, b, nil) }
