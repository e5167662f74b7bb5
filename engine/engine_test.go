package engine

import "testing"

// open opens an engine for a test.
func open(t testing.TB, o Options) *Backend {
	t.Helper()
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

// TestCompliance is GoMLX's own suite. What runs natively and what falls back is
// printed.
func TestCompliance(t *testing.T) {
	b := open(t, FromEnvironment())
	suite(t, b)
	t.Logf("operations of the suite left to GoMLX's Go engine: %v", b.Fallbacks())
}
