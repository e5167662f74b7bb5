package dataset_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cutline-go/cutline/dataset"
)

// epochs lists the items of the first count epochs.
func epochs(t *testing.T, o *dataset.Order, n, count int) [][]int {
	t.Helper()
	out := make([][]int, count)
	for position := range n * count {
		item, epoch := o.Item(position)
		if epoch != position/n {
			t.Fatalf("position %d of %d items is in epoch %d", position, n, epoch)
		}
		out[epoch] = append(out[epoch], item)
	}
	return out
}

func TestOrderVisitsEverythingOnce(t *testing.T) {
	for _, n := range []int{1, 2, 7, 100} {
		for epoch, items := range epochs(t, dataset.NewOrder(n, 3), n, 5) {
			slices.Sort(items)
			for i, item := range items {
				if item != i {
					t.Fatalf("epoch %d of %d items visits %v", epoch, n, items)
				}
			}
		}
	}
}

// TestOrderDependsOnSeedAndPosition asks for positions in any order.
func TestOrderDependsOnSeedAndPosition(t *testing.T) {
	const n, count = 20, 4
	want := epochs(t, dataset.NewOrder(n, 3), n, count)
	o := dataset.NewOrder(n, 3)
	for range 500 {
		position := rand.IntN(n * count)
		if item, epoch := o.Item(position); epoch != position/n || item != want[position/n][position%n] {
			t.Fatalf("position %d: item %d of epoch %d, in order it was %d", position, item, epoch, want[position/n][position%n])
		}
	}
	for i := range count {
		for j := range i {
			if slices.Equal(want[i], want[j]) {
				t.Errorf("epochs %d and %d are alike: %v", j, i, want[i])
			}
		}
	}
	if other := epochs(t, dataset.NewOrder(n, 4), n, 1); slices.Equal(other[0], want[0]) {
		t.Errorf("seeds 3 and 4 give the same order, %v", want[0])
	}
}
