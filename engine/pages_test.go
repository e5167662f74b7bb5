package engine

import (
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// TestUpdatesUsePagesAgain: what a weight was packed in serves the next value of the weight,
// however often it is updated.
func TestUpdatesUsePagesAgain(t *testing.T) {
	b := open(t, Options{Training: true})
	f := func(args []*Node) []*Node {
		x, weight := args[0], args[1]
		return []*Node{MulScalar(weight, 0.5), Einsum("bi,io->bo", x, weight)}
	}
	x, args := compiled(t, b, f, shapes.Make(dtypes.Float32, 8, 1024), shapes.Make(dtypes.Float32, 1024, 512))
	for range 4 {
		results, err := x.Execute(args, []bool{false, true}, 0)
		if err != nil {
			t.Fatal(err)
		}
		args[1] = results[0]
		if held, spare := len(results[0].(*Buffer).pages), len(b.memory.spare); held > 1 || spare != 1 {
			t.Fatalf("the weight has %d pieces of memory, and %d are spare, want 1 at most and 1", held, spare)
		}
	}
}

// TestFinalizedWhileInUse: memory that somebody may read is not given to others.
func TestFinalizedWhileInUse(t *testing.T) {
	b := open(t, Options{Training: true})
	shape := shapes.Make(dtypes.Float32, 1024, 512)
	fill := func(flat []float32) { flat[0] = 7 }
	for _, users := range []int32{0, 1} {
		made, err := b.FilledBuffer(shape, fill)
		if err != nil {
			t.Fatal(err)
		}
		before := len(b.memory.spare)
		made.(*Buffer).users.Add(users)
		if err := made.Finalize(); err != nil {
			t.Fatal(err)
		}
		if given := len(b.memory.spare) - before; given != 1-int(users) {
			t.Errorf("%d users: %d pieces of memory given to others", users, given)
		}
	}
}
