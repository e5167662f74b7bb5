package batches

import (
	"math"
	"math/rand/v2"

	"github.com/cutline-go/cutline/internal/method"
)

// noisy returns an embedding [E] with noise added, whose variance is measured against the
// embedding's length as CapDec measures it against 1. A CLIP tells the photos that it learned
// from apart more surely than others: without noise a captioner comes to trust it more
// than it deserves on photos that are new.
func noisy(embedding []float32, noise method.Noise, rng *rand.Rand) []float32 {
	if noise.Variance == 0 {
		return embedding
	}
	square := 0.0
	for _, v := range embedding {
		square += float64(v) * float64(v)
	}
	length := float32(math.Sqrt(square))
	out := noise.Draw(rng, 1, len(embedding))[0]
	for i, v := range embedding {
		out[i] = v + length*out[i]
	}
	return out
}
