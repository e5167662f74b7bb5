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
// an order of their own. Its zero value is none yet.
type window[T any] struct {
	number  int
	batches [][]T
}

// batch returns the batch of an update, of size items, from the window that it lies
// in. item gives what stands at a position of the order.
func (w *window[T]) batch(update, size int, seed uint64, item func(position int) T, length func(T) int) []T {
	if number := update / windowBatches; w.batches == nil || w.number != number {
		items := make([]T, windowBatches*size)
		for i := range items {
			items[i] = item(number*len(items) + i)
		}
		slices.SortStableFunc(items, func(a, b T) int { return cmp.Compare(length(a), length(b)) })
		w.number, w.batches = number, slices.Collect(slices.Chunk(items, size))
		rng := rand.New(rand.NewPCG(seed+2, uint64(number)))
		rng.Shuffle(windowBatches, func(i, j int) { w.batches[i], w.batches[j] = w.batches[j], w.batches[i] })
	}
	return w.batches[update%windowBatches]
}
