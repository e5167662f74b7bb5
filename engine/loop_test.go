package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestLoopVisitsWhatWalkDoes: the parts of a loop visit each element once, in order, where
// walk finds it, of views of any strides.
func TestLoopVisitsWhatWalkDoes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	most := 0
	for range 300 {
		dims := make([]int, 1+rng.IntN(5))
		size := 1
		for i := range dims {
			dims[i] = min(1+rng.IntN(60), max(1, 3*loopPart/size))
			if rng.IntN(4) == 0 {
				dims[i] = 1
			}
			size *= dims[i]
		}
		a, b := randomView(rng, dims), randomView(rng, dims)
		var want, got []places
		walk(dims, []view{a, b}, func(at places) { want = append(want, at) })
		l := newLoop(a, b)
		most = max(most, l.parts())
		for part := range l.parts() {
			l.part(part, func(from, to, i, j int) {
				if from != len(got) {
					t.Fatalf("%v: a row begins at element %d, want %d", dims, from, len(got))
				}
				for range to - from {
					got = append(got, places{i, j})
					i, j = i+l.row.to, j+l.row.from
				}
			})
		}
		if !slices.Equal(got, want) {
			t.Fatalf("dims %v, strides %v and %v: other elements", dims, a.strides, b.strides)
		}
	}
	if most < 2 {
		t.Error("no loop had parts")
	}
}

// randomView is dense, repeats some axes or has them in another order.
func randomView(rng *rand.Rand, dims []int) view {
	v := view{offset: rng.IntN(3), dims: dims, strides: make([]int, len(dims))}
	order := rng.Perm(len(dims))
	if rng.IntN(2) == 0 {
		slices.Sort(order)
	}
	stride := 1
	for _, axis := range slices.Backward(order) {
		if rng.IntN(4) > 0 {
			v.strides[axis] = stride
			stride *= dims[axis]
		}
	}
	return v
}
