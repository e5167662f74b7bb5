package engine

import (
	"fmt"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// convolution multiplies what a kernel of size × size sees of x [H, B, W, C], padded, with
// weights [size, size·C, O], as the networks here have it.
func convolution(size int) func(args []*Node) []*Node {
	return func(args []*Node) []*Node {
		x, around := args[0], PadAxis{Start: size / 2, End: size / 2}
		height, width := x.Shape().Dim(0), x.Shape().Dim(2)
		x = Pad(x, Const(x.Graph(), float32(0.5)), around, PadAxis{}, around, PadAxis{})
		var columns, rows []*Node
		for i := range size {
			columns = append(columns, SliceAxis(x, 2, AxisRange(i, i+width)))
		}
		x = Concatenate(columns, -1)
		for i := range size {
			rows = append(rows, InsertAxes(SliceAxis(x, 0, AxisRange(i, i+height)), 3))
		}
		return []*Node{Einsum("hbwkc,kco->hbwo", Concatenate(rows, 3), args[1])}
	}
}

var convolutions = []struct{ height, batch, width, channels, size int }{
	{7, 1, 7, 16, 3}, {8, 2, 9, 12, 3}, {20, 1, 30, 16, 3}, {3, 5, 100, 8, 5}, {5, 1, 4, 16, 3}, {6, 3, 6, 2, 3}, {2, 1, 1, 3, 1},
}

func TestConvolution(t *testing.T) {
	for _, c := range convolutions {
		x := normal(1, c.height, c.batch, c.width, c.channels)
		w := normal(2, c.size, c.size*c.channels, 40)
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			want := evaluate(t, reference(t), convolution(c.size), x, w)
			compareAll(t, evaluate(t, open(t, FromEnvironment()), convolution(c.size), x, w), want, 1e-6)
			compareAll(t, evaluate(t, open(t, Options{Training: true}), convolution(c.size), x, w), want, 1e-6)
		})
	}
}

// TestConvolutionCopiesNothing but the image into its padding and the four edges, where there
// are so many columns and channels that it is worth it.
func TestConvolutionCopiesNothing(t *testing.T) {
	for _, c := range convolutions[:4] {
		copies := func(o Options) int {
			x, _ := compiled(t, open(t, o), convolution(c.size),
				shapes.Make(dtypes.Float32, c.height, c.batch, c.width, c.channels), shapes.Make(dtypes.Float32, c.size, c.size*c.channels, 40))
			n := 0
			for _, i := range x.instructions {
				if i.name == "copy" {
					n++
				}
			}
			return n
		}
		if n := copies(FromEnvironment()); n != 5 {
			t.Errorf("%v: %d copies, want 5", c, n)
		}
		if n := copies(Options{Training: true}); n <= 5 {
			t.Errorf("%v: %d copies where it learns, want more than 5", c, n)
		}
	}
}
