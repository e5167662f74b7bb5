//go:build !race

package clipcap_test

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/cutline-go/cutline/internal/clipcap"
)

// The race detector makes pools forget, so what is allocated is counted without it.

// TestTokenAllocatesNoTensor: what the engine allocates for a token is the list of the graph's
// results and their buffers, not their memory, nor any of what lies in between.
func TestTokenAllocatesNoTensor(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties pools
	engine := newCounted(t)
	c := newTinyOn(t, engine)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // pools have something for each processor
	for _, branching := range []bool{false, true} {
		session, parents := startTokens(t, c.generator, c.embeddings(4))
		if branching {
			parents[0], parents[1] = 1, 0
		}
		const warm, steps = 8, 16
		for i := range warm + steps {
			if i == warm {
				engine.mallocs = 0
			}
			if _, err := session.Next(t.Context(), make([]int, len(parents)), parents); err != nil {
				t.Fatal(err)
			}
		}
		session.Close()
		// Rounded down, as testing.AllocsPerRun does it: the process may have other work.
		if n := engine.mallocs / steps; n > 2 {
			t.Errorf("branching %v: the engine allocates %d times a token", branching, n)
		}
	}
}

// startTokens returns a session that has read its prefix, and parents of rows that go on.
func startTokens(t testing.TB, g *clipcap.Generator, embeddings [][]float32) (*clipcap.Session, []int) {
	session, err := g.Start(embeddings, 30)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.Prefill(context.Background()); err != nil {
		t.Fatal(err)
	}
	parents := make([]int, len(embeddings))
	for i := range parents {
		parents[i] = i
	}
	return session, parents
}

// BenchmarkToken is what the tokens of a small network cost, most of it what surrounds the
// engine.
func BenchmarkToken(b *testing.B) {
	c := newTinyOn(b, newCounted(b).Backend)
	tokens := make([]int, 1)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		session, parents := startTokens(b, c.generator, c.embeddings(1))
		b.StartTimer()
		for range 20 {
			if _, err := session.Next(b.Context(), tokens, parents); err != nil {
				b.Fatal(err)
			}
		}
		session.Close()
	}
}
