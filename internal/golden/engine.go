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

// Engine returns the engine that [Variable] names, or the default.
func Engine(t testing.TB) compute.Backend {
	t.Helper()
	e, err := engine.Open(os.Getenv(Variable))
	if err != nil {
		t.Fatal(err)
	}
	return e
}
