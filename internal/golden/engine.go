package golden

import (
	"testing"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the engine that every build has
)

// Engine returns the pure-Go engine.
func Engine(t testing.TB) compute.Backend {
	t.Helper()
	engine, err := compute.NewWithConfig("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	return engine
}
