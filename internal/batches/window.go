package batches

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// windowBatches is the number of batches that share out their captions by length.
// A batch is padded to its longest caption: of captions drawn at random, more than
// half would be padding.
const windowBatches = 32

// window is a run of windowBatches batches, the items of each alike in length, in
// an order of their own.
type window[T any] struct {
	number  int
	batches [][]T
}

// newWindow shares items, windowBatches times size of them, out by length.
func newWindow[T any](number, size int, seed uint64, items []T, length func(T) int) *window[T] {
	slices.SortStableFunc(items, func(a, b T) int { return cmp.Compare(length(a), length(b)) })
	w := &window[T]{number: number, batches: slices.Collect(slices.Chunk(items, size))}
	rng := rand.New(rand.NewPCG(seed+2, uint64(number)))
	rng.Shuffle(len(w.batches), func(i, j int) { w.batches[i], w.batches[j] = w.batches[j], w.batches[i] })
	return w
}
