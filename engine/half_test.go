package engine

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/nn"
)

// halfAndWide are a buffer of random halves and one of their values.
func halfAndWide(t *testing.T, b *Backend, dims ...int) (half, wide *Buffer) {
	t.Helper()
	shape, rng := shapes.Make(dtypes.Float32, dims...), rand.New(rand.NewPCG(3, 4))
	bits := make([]uint16, shape.Size())
	for i := range bits {
		bits[i] = uint16(rng.Uint32()) &^ 0x4000 // below 2
	}
	made, err := b.HalfBuffer(shape, func(flat []uint16) { copy(flat, bits) })
	if err != nil {
		t.Fatal(err)
	}
	values, err := b.FilledBuffer(shape, func(flat []float32) { b.kernels.Widen(flat, bits) })
	if err != nil {
		t.Fatal(err)
	}
	return made.(*Buffer), values.(*Buffer)
}

// TestHalvesGiveTheBitsOfTheirValues runs whatever reads a parameter on halves, twice, and
// on their values.
func TestHalvesGiveTheBitsOfTheirValues(t *testing.T) {
	const n, d = 301, 96
	project := func(x, w *Node) *Node { return nn.Dense(x, w, nil, compute.DenseLayoutOutputsInput) }
	times := func(x, w *Node) *Node { return nn.Dense(x, w, nil, compute.DenseLayoutInputOutputs) }
	ids := func(x *Node) *Node { return Const(x.Graph(), [][]int32{{300}, {0}, {77}}) }
	for name, test := range map[string]struct {
		dims []int
		half bool // the parameter still holds halves afterwards
		f    func(x, w *Node) []*Node
	}{
		"projection": {[]int{n, d}, true, func(x, w *Node) []*Node { return []*Node{project(x, w)} }},
		"product":    {[]int{d, n}, true, func(x, w *Node) []*Node { return []*Node{times(x, w)} }},
		"activated":  {[]int{d, n}, true, func(x, w *Node) []*Node { return []*Node{Tanh(times(x, w))} }},
		"rows":       {[]int{n, d}, true, func(x, w *Node) []*Node { return []*Node{Gather(w, ids(x))} }},
		"tied": {[]int{n, d}, true, func(x, w *Node) []*Node {
			return []*Node{Gather(w, ids(x)), project(x, w)}
		}},
		"rows and product": {[]int{d, n}, true, func(x, w *Node) []*Node {
			return []*Node{Gather(w, Const(x.Graph(), [][]int32{{95}, {0}})), times(x, w)}
		}},
		"convolution": {[]int{n, 4, 4, 6}, true, func(x, w *Node) []*Node {
			return []*Node{times(x, Reshape(TransposeAllAxes(w, 2, 3, 1, 0), d, n))}
		}},
		"two layouts": {[]int{d, d}, true, func(x, w *Node) []*Node { return []*Node{project(x, w), times(x, w)} }},
		"part":        {[]int{n, d}, true, func(x, w *Node) []*Node { return []*Node{project(x, Slice(w, AxisRange(3, 99)))} }},
		"elements":    {[]int{d}, false, func(x, w *Node) []*Node { return []*Node{Add(x, ExpandLeftToRank(w, 2))} }},
		"matrix as elements and more": {[]int{d, d}, false, func(x, w *Node) []*Node {
			return []*Node{project(x, w), OnePlus(w), ReduceAllSum(w), Gather(w, Const(x.Graph(), [][]int32{{5}}))}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, rows := range []int{1, 2, 7, 50} {
				b := open(t, FromEnvironment())
				half, wide := halfAndWide(t, b, test.dims...)
				exec := MustNewExec(b, func(args []*Node) []*Node { return test.f(args[0], args[1]) })
				want := callOn(t, exec, normal(1, rows, d), wide)
				for range 2 {
					if got := callOn(t, exec, normal(1, rows, d), half); !slices.EqualFunc(got, want, sameBits) {
						t.Errorf("%d rows: halves give other bits than their values", rows)
					}
				}
				if half.half != test.half {
					t.Errorf("%d rows: in memory as halves: %v", rows, half.half)
				}
				got, all := make([]float32, half.shape.Size()), make([]float32, half.shape.Size())
				if err := half.ToFlatData(got); err != nil {
					t.Fatal(err)
				}
				if err := wide.ToFlatData(all); err != nil || !sameBits(got, all) {
					t.Errorf("%d rows: the values come back changed: %v", rows, err)
				}
			}
		})
	}
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func callOn(t *testing.T, exec *Exec, x *tensors.Tensor, w *Buffer) [][]float32 {
	t.Helper()
	values, err := tryOn(exec, x, w)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func tryOn(exec *Exec, x *tensors.Tensor, w *Buffer) ([][]float32, error) {
	parameter, err := tensors.FromBuffer(w)
	if err != nil {
		return nil, err
	}
	out, err := exec.Call(x, parameter)
	if err != nil {
		return nil, err
	}
	values := make([][]float32, len(out))
	for i, o := range out {
		if values[i], err = tensors.CopyFlatData[float32](o); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// TestTransposedMatrixIsPackedInItsPlace: where a product alone reads it, it is never in
// memory twice, halves or float32s.
func TestTransposedMatrixIsPackedInItsPlace(t *testing.T) {
	const v, d = 301, 96
	b := open(t, Options{})
	project := MustNewExec(b, func(args []*Node) []*Node {
		return []*Node{nn.Dense(args[0], args[1], nil, compute.DenseLayoutOutputsInput)}
	})
	half, wide := halfAndWide(t, b, v, d)
	for _, table := range []*Buffer{half, wide} {
		place := unsafe.Pointer(&table.bytes[0])
		callOn(t, project, normal(1, 3, d), table)
		packed := table.packed[table.only]
		if p := unsafe.Pointer(unsafe.SliceData(packed.Halves)); table.half && p != place {
			t.Error("halves are packed elsewhere")
		}
		if p := unsafe.Pointer(unsafe.SliceData(packed.Floats)); !table.half && p != place {
			t.Error("float32s are packed elsewhere")
		}
		if !table.dropped || table.half != (packed.Halves != nil) {
			t.Errorf("halves %v: not the packed copy alone", table.half)
		}
	}
}

// TestConvolutionIsInMemoryOnce: the packed copy takes the place of a kernel whose axes
// were moved before, and gives it back in its order.
func TestConvolutionIsInMemoryOnce(t *testing.T) {
	const n, d = 301, 96
	b := open(t, Options{})
	exec := MustNewExec(b, func(args []*Node) []*Node {
		w := Reshape(TransposeAllAxes(args[1], 2, 3, 1, 0), d, n)
		return []*Node{nn.Dense(args[0], w, nil, compute.DenseLayoutInputOutputs)}
	})
	half, wide := halfAndWide(t, b, n, 6, 4, 4)
	want := make([]float32, n*d)
	if err := wide.ToFlatData(want); err != nil {
		t.Fatal(err)
	}
	wide.kept = false
	for _, kernel := range []*Buffer{half, wide} {
		callOn(t, exec, normal(1, 3, d), kernel)
		if !kernel.dropped {
			t.Errorf("halves %v: the kernel is in memory twice", kernel.half)
		}
		got := make([]float32, n*d)
		if err := kernel.ToFlatData(got); err != nil || !sameBits(got, want) {
			t.Errorf("halves %v: the kernel comes back changed: %v", kernel.half, err)
		}
	}
}

// TestHalvesAtOnce: graphs that pack halves in their place, look rows of them up and want
// them widened run side by side.
func TestHalvesAtOnce(t *testing.T) {
	const n, d = 301, 96
	b := open(t, Options{Threads: 2})
	ids := [][]int32{{300}, {0}}
	graphs := []func(x, w *Node) *Node{
		func(x, w *Node) *Node { return nn.Dense(x, w, nil, compute.DenseLayoutOutputsInput) },
		func(x, w *Node) *Node { return Gather(w, Const(x.Graph(), ids)) },
		func(_, w *Node) *Node { return OnePlus(w) },
	}
	for range 20 {
		half, wide := halfAndWide(t, b, n, d)
		var all sync.WaitGroup
		for i, f := range graphs {
			exec := MustNewExec(b, func(args []*Node) []*Node { return []*Node{f(args[0], args[1])} })
			want := callOn(t, exec, normal(1, 3, d), wide)
			all.Go(func() {
				if got, err := tryOn(exec, normal(1, 3, d), half); err != nil || !sameBits(got[0], want[0]) {
					t.Errorf("graph %d gives other bits beside the others: %v", i, err)
				}
			})
		}
		all.Wait()
	}
}

// TestRepeatedRowIsNotAll: a product with one row of a matrix, as often as the matrix has
// rows, leaves the matrix whole.
func TestRepeatedRowIsNotAll(t *testing.T) {
	const n = 160
	b := open(t, Options{})
	exec := MustNewExec(b, func(args []*Node) []*Node {
		row := BroadcastToDims(Slice(args[1], AxisRange(0, 1)), n, n)
		return []*Node{nn.Dense(args[0], row, nil, compute.DenseLayoutInputOutputs)}
	})
	half, wide := halfAndWide(t, b, n, n)
	callOn(t, exec, normal(1, 3, n), half)
	got, want := make([]float32, n*n), make([]float32, n*n)
	if err := half.ToFlatData(got); err != nil {
		t.Fatal(err)
	}
	if err := wide.ToFlatData(want); err != nil || !sameBits(got, want) {
		t.Errorf("the matrix comes back changed: %v", err)
	}
}

// TestDonatedHalvesAreWidened: what a graph writes in the place of a parameter is float32.
func TestDonatedHalvesAreWidened(t *testing.T) {
	b := open(t, Options{})
	half, wide := halfAndWide(t, b, 64, 8)
	builder := b.Builder("update")
	f := builder.Main()
	p, err := f.Parameter("p", half.shape, nil)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := f.Add(p, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Return([]compute.Value{sum}, nil); err != nil {
		t.Fatal(err)
	}
	exec, err := builder.Compile()
	if err != nil {
		t.Fatal(err)
	}
	var results [2][]float32
	for i, from := range []*Buffer{half, wide} {
		out, err := exec.Execute([]compute.Buffer{from}, []bool{true}, 0)
		if err != nil {
			t.Fatal(err)
		}
		results[i] = make([]float32, from.shape.Size())
		if err := out[0].ToFlatData(results[i]); err != nil {
			t.Fatal(err)
		}
	}
	if !sameBits(results[0], results[1]) {
		t.Error("halves that are given away are updated otherwise than their values")
	}
}
