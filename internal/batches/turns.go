package batches

import "github.com/cutline-go/cutline/internal/method"

// InTurns makes the batch of each update from the next of the sources, over and over.
func InTurns(sources ...func(update int) (method.Pairs, error)) func(update int) (method.Pairs, error) {
	return func(update int) (method.Pairs, error) {
		return sources[update%len(sources)](update / len(sources))
	}
}
