package method

import (
	"math"
	"math/rand/v2"
	"testing"
)

// zeros is a source whose first numbers are those of a draw of exactly 0.
type zeros struct {
	left int
	rand.Source
}

func (z *zeros) Uint64() uint64 {
	if z.left > 0 {
		z.left--
		return 0
	}
	return z.Source.Uint64()
}

// Rare draws may not end a training: −log 0 is no number that a softmax can take.
func TestGumbelIsFinite(t *testing.T) {
	source := &zeros{left: 3, Source: rand.NewPCG(1, 0)}
	noise := gumbel(rand.New(source), 1000)
	if source.left > 0 {
		t.Fatal("nothing was drawn from the source")
	}
	for i, v := range noise {
		if math.IsInf(float64(v), 0) || math.IsNaN(float64(v)) {
			t.Fatalf("value %d is %g", i, v)
		}
	}
	if want := gumbel(rand.New(rand.NewPCG(1, 0)), 1000); noise[0] != want[0] {
		t.Errorf("after draws of 0 comes %g, want %g", noise[0], want[0])
	}
}
