package golden

import (
	"os"
	"testing"

	"github.com/gomlx/compute"

	"github.com/cutline-go/cutline/internal/engine"
)

// Variable names the environment variable that chooses the engine of the golden
// tests.
const Variable = "CUTLINE_ENGINE"

// Engine returns the engine that [Variable] names, or the default. An operation
// that this project's engine left to another one fails the test.
func Engine(t testing.TB) compute.Backend {
	t.Helper()
	e, err := engine.Open(os.Getenv(Variable))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if counter, ok := e.(interface{ Fallbacks() map[string]int }); ok && len(counter.Fallbacks()) > 0 {
			t.Errorf("run by another engine: %v", counter.Fallbacks())
		}
	})
	return e
}
