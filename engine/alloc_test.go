//go:build !race

package engine

import (
	"fmt"
	"runtime/debug"
	"testing"
)

// The race detector makes pools forget, so what is allocated is counted without it.

// TestStepAllocatesResultsAlone: what an execution allocates is its list of results and
// their buffers, whatever the graph; their memory, and all in between, is used again.
func TestStepAllocatesResultsAlone(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties pools
	for _, threads := range []int{1, 3} {
		for _, rows := range []int{1, 8} {
			t.Run(fmt.Sprintf("%d threads, %d rows", threads, rows), func(t *testing.T) {
				b := open(t, Options{Threads: threads})
				step := newStep(t, b, rows)
				for range 10 {
					step(t)
				}
				if n := testing.AllocsPerRun(50, func() { step(t) }); n > 2 {
					t.Errorf("a step allocates %g times", n)
				}
				if f := b.Fallbacks(); len(f) > 0 {
					t.Errorf("left to GoMLX's Go engine: %v", f)
				}
			})
		}
	}
}

// BenchmarkStep is what one token costs on a small network, where the engine's own part
// shows.
func BenchmarkStep(b *testing.B) {
	for _, rows := range []int{1, 8} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			step := newStep(b, open(b, FromEnvironment()), rows)
			step(b)
			b.ReportAllocs()
			for b.Loop() {
				step(b)
			}
		})
	}
}
