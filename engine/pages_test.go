package engine

import (
	"os"
	"testing"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// TestUpdatesUsePagesAgain: what a weight was packed in serves the next value of the weight,
// however often it is updated, in its own place or in another.
func TestUpdatesUsePagesAgain(t *testing.T) {
	read := func(args []*Node) *Node { return Einsum("bi,io->bo", args[0], args[1]) }
	for name, f := range map[string]func([]*Node) []*Node{
		"in its place": func(args []*Node) []*Node {
			y, zero := read(args), Const(args[0].Graph(), int32(0))
			return []*Node{DynamicUpdateSlice(args[1], Slice(args[0], AxisRange(), AxisRange(0, 512)), []*Node{zero, zero}), y}
		},
		"elsewhere": func(args []*Node) []*Node { return []*Node{MulScalar(args[1], 0.5), read(args)} },
	} {
		b := open(t, Options{Training: true})
		x, args := compiled(t, b, f, shapes.Make(dtypes.Float32, 8, 1024), shapes.Make(dtypes.Float32, 1024, 512))
		for range 4 {
			results, err := x.Execute(args, []bool{false, true}, 0)
			if err != nil {
				t.Fatal(err)
			}
			args[1] = results[0]
			if held, spare := len(results[0].(*Buffer).pages), len(b.memory.spare); held > 1 || spare != 1 {
				t.Fatalf("%s: the weight has %d pieces of memory, and %d are spare, want 1 at most and 1", name, held, spare)
			}
		}
	}
}

// TestTrainingKeepsPages: weights of any size are packed in the same memory again and again;
// who loads a model keeps little.
func TestTrainingKeepsPages(t *testing.T) {
	for training, want := range map[bool]int{true: 2, false: 1} {
		m := memory{keep: keeps(training)}
		for _, b := range []*pages{m.takePages(20 << 20), m.takePages(20 << 20)} {
			m.givePages(b)
		}
		if len(m.spare) != want {
			t.Errorf("training %v: %d pieces of 20 MiB are kept, want %d", training, len(m.spare), want)
		}
	}
}

// TestPagesLieTogether: what is taken lies one behind another, page by page, and what nobody
// has any more has no memory.
func TestPagesLieTogether(t *testing.T) {
	m := memory{}
	first, second := m.takePages(3<<20+5), m.takePages(2<<20)
	between := uintptr(unsafe.Pointer(&second.bytes[0])) - uintptr(unsafe.Pointer(&first.bytes[0]))
	if page := uintptr(os.Getpagesize()); between != (3<<20+5+page-1)/page*page && m.region != nil {
		t.Errorf("they lie %d bytes apart", between)
	}
	if huge := m.takePages(regionBytes + 1); len(huge.bytes) != regionBytes+1 {
		t.Errorf("%d bytes, want %d", len(huge.bytes), regionBytes+1)
	}
	rest := first.bytes[:1:1]
	rest[0], second.bytes[0] = 1, 2
	if m.givePages(first); m.region != nil && rest[0] != 0 {
		t.Error("what was given back is still in memory")
	}
	if second.bytes[0] != 2 {
		t.Error("what was not given back is lost")
	}
}

// TestFinalizedWhileInUse: memory that an execution may read is not given to others.
func TestFinalizedWhileInUse(t *testing.T) {
	b := open(t, Options{Training: true})
	shape := shapes.Make(dtypes.Float32, 1024, 512)
	x, _ := compiled(t, b, func(args []*Node) []*Node { return []*Node{Neg(args[0])} }, shape)
	for _, inUse := range []bool{false, true} {
		weight, err := b.FilledBuffer(shape, func(flat []float32) { flat[0] = 7 })
		if err != nil {
			t.Fatal(err)
		}
		before, e := len(b.memory.spare), x.newEnv()
		if inUse {
			if err := x.take(e, []compute.Buffer{weight}); err != nil {
				t.Fatal(err)
			}
		}
		if err := weight.Finalize(); err != nil {
			t.Fatal(err)
		}
		if given := len(b.memory.spare) > before; given == inUse {
			t.Errorf("in use %v: its memory was given to others: %v", inUse, given)
		}
		if e.leave(); weight.(*Buffer).users.Load() != 0 {
			t.Error("an execution that has ended uses its input")
		}
	}
}
