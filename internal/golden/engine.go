package golden

import (
	"testing"

	"github.com/gomlx/compute"

	"github.com/cutline-go/cutline/internal/engine"
)

// Engine returns the pure-Go engine.
func Engine(t testing.TB) compute.Backend {
	t.Helper()
	e, err := engine.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	return e
}
