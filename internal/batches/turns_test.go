package batches_test

import (
	"slices"
	"testing"

	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/method"
)

// TestInTurns: every source sees updates of its own without a gap.
func TestInTurns(t *testing.T) {
	var seen [2][]int
	source := func(i int) func(int) (method.Pairs, error) {
		return func(update int) (method.Pairs, error) {
			seen[i] = append(seen[i], update)
			return method.Pairs{Captions: [][]int{{i}}}, nil
		}
	}
	batch := batches.InTurns(source(0), source(1))
	for update := range 5 {
		if b, err := batch(update); err != nil || b.Captions[0][0] != update%2 {
			t.Errorf("update %d: source %v, %v", update, b.Captions, err)
		}
	}
	if !slices.Equal(seen[0], []int{0, 1, 2}) || !slices.Equal(seen[1], []int{0, 1}) {
		t.Errorf("updates of the sources: %v", seen)
	}
}
