package engine

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/nn"
)

// normal draws a tensor; a matrix is scaled such that products keep the size of
// what is multiplied.
func normal(seed uint64, dims ...int) *tensors.Tensor {
	scale := 1.0
	if len(dims) == 2 {
		scale = 1 / math.Sqrt(float64(dims[1]))
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	flat := make([]float32, product(dims))
	for i := range flat {
		flat[i] = float32(scale * rng.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(flat, dims...)
}

// evaluate runs f on copies of the arguments and returns its outputs' values.
func evaluate(t testing.TB, b compute.Backend, f func([]*Node) []*Node, args ...*tensors.Tensor) [][]float32 {
	t.Helper()
	copies := make([]any, len(args))
	for i, a := range args {
		c, err := a.LocalClone()
		if err != nil {
			t.Fatal(err)
		}
		copies[i] = c
	}
	out, err := MustNewExec(b, f).Call(copies...)
	if err != nil {
		t.Fatal(err)
	}
	var flat [][]float32
	for _, o := range out {
		flat = append(flat, tensors.MustCopyFlatData[float32](o))
	}
	return flat
}

// block is a transformer block with a mask, x [B, T, D].
func block(args []*Node) []*Node {
	x, qkv, out, up, down, gain := args[0], args[1], args[2], args[3], args[4], args[5]
	g, dims := x.Graph(), x.Shape().Dimensions
	heads, d := 4, dims[2]/4
	h := nn.LayerNorm(x, []int{-1}, 1e-5, gain, gain, nil)
	parts := Split(nn.Dense(h, qkv, nil, compute.DenseLayoutOutputsInput), -1, 3)
	for i := range parts {
		parts[i] = Reshape(parts[i], dims[0], dims[1], heads, d)
	}
	scores := MulScalar(Einsum("bqhd,bkhd->bhqk", parts[0], parts[1]), 1/math.Sqrt(float64(d)))
	allowed := BroadcastToDims(InsertAxes(LowerTriangular(g, dims[1]), 0, 0), scores.Shape().Dimensions...)
	scores = Where(allowed, scores, ConstAs(scores, -1e9))
	mixed := Reshape(Einsum("bhqk,bkhd->bqhd", Softmax(scores, -1), parts[2]), dims...)
	x = Add(x, nn.Dense(mixed, out, gain, compute.DenseLayoutOutputsInput))
	h = nn.Dense(x, up, nil, compute.DenseLayoutInputOutputs)
	h = Mul(h, Sigmoid(MulScalar(h, 1.702)))
	h = Mul(MulScalar(h, 0.5), OnePlus(Tanh(h)))
	return []*Node{Add(x, nn.Dense(h, down, nil, compute.DenseLayoutInputOutputs)), parts[1], mixed}
}

func blockArgs(batch, length, width int) []*tensors.Tensor {
	return []*tensors.Tensor{
		normal(1, batch, length, width), normal(2, 3*width, width), normal(3, width, width),
		normal(4, width, 2*width), normal(5, 2*width, width), normal(6, width),
	}
}

// step is a block's loss and its gradients.
func gradients(args []*Node) []*Node {
	loss := ReduceAllMean(Square(block(args)[0]))
	return append(Gradient(loss, args...), loss)
}

func compareAll(t *testing.T, got, want [][]float32, tolerance float64) {
	t.Helper()
	for i := range want {
		var d, m float64
		for j := range want[i] {
			d = max(d, math.Abs(float64(got[i][j])-float64(want[i][j])))
			m = max(m, math.Abs(float64(want[i][j])))
		}
		if !(d <= tolerance*m) {
			t.Errorf("output %d differs by %g of its largest value", i, d/m)
		}
	}
}

// TestNetwork compares a block and its gradients with GoMLX's Go engine, in every
// mode and with all kernels.
func TestNetwork(t *testing.T) {
	for _, kernels := range []string{"", "portable"} {
		for _, training := range []bool{false, true} {
			for _, size := range [][3]int{{1, 1, 32}, {2, 7, 64}, {3, 50, 72}} {
				t.Run(fmt.Sprintf("%s/training=%v/%v", kernels, training, size), func(t *testing.T) {
					b := open(t, Options{Kernels: kernels, Training: training})
					args := blockArgs(size[0], size[1], size[2])
					compareAll(t, evaluate(t, b, block, args...), evaluate(t, reference(t), block, args...), 1e-5)
					compareAll(t, evaluate(t, b, gradients, args...), evaluate(t, reference(t), gradients, args...), 1e-4)
					if f := b.Fallbacks(); len(f) > 0 {
						t.Errorf("left to GoMLX's Go engine: %v", f)
					}
				})
			}
		}
	}
}

// TestThreadsDoNotMatter: the bits are the same for any number of threads.
func TestThreadsDoNotMatter(t *testing.T) {
	args := blockArgs(3, 50, 96)
	for _, training := range []bool{false, true} {
		want := evaluate(t, open(t, Options{Threads: 1, Training: training}), gradients, args...)
		for _, threads := range []int{2, 3, 8} {
			for i, got := range evaluate(t, open(t, Options{Threads: threads, Training: training}), gradients, args...) {
				if !slices.Equal(got, want[i]) {
					t.Errorf("training %v, %d threads: output %d differs", training, threads, i)
				}
			}
		}
	}
}

// TestBatchIsItsSingles: an engine for inference gives a row the same bits in a batch of any
// size, whatever unit multiplies many rows in training.
func TestBatchIsItsSingles(t *testing.T) {
	const rows, k, n = 100, 96, 64
	x, w := normal(1, rows, k), normal(2, k, n)
	product := func(args []*Node) []*Node { return []*Node{Dot(args[0], args[1]).Product()} }
	b := open(t, Options{})
	all := evaluate(t, b, product, x, w)[0]
	values, err := tensors.CopyFlatData[float32](x)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		row := tensors.FromFlatDataAndDimensions(values[i*k:(i+1)*k], 1, k)
		if got := evaluate(t, b, product, row, w)[0]; !slices.Equal(got, all[i*n:(i+1)*n]) {
			t.Fatalf("row %d of %d has other bits alone", i, rows)
		}
	}
}

// TestLongGroupsInTraining: rows may lie in groups that are longer than what a matrix unit takes
// at once, as all positions but the first of long texts do.
func TestLongGroupsInTraining(t *testing.T) {
	product := func(args []*Node) []*Node {
		return []*Node{Einsum("ntk,kd->ntd", Slice(args[0], AxisRange(), AxisRange(1)), args[1])}
	}
	for _, length := range []int{50, 258, 300, 700} {
		x, w := normal(1, 3, length, 800), normal(2, 800, 96)
		compareAll(t, evaluate(t, open(t, Options{Training: true}), product, x, w), evaluate(t, open(t, Options{}), product, x, w), 2e-6)
	}
}

// TestConcurrentCalls runs one graph from eight goroutines.
func TestConcurrentCalls(t *testing.T) {
	b := open(t, Options{Threads: 3})
	args := blockArgs(2, 20, 64)
	want := evaluate(t, b, block, args...)
	exec := MustNewExec(b, block)
	var wg sync.WaitGroup
	for range 8 {
		mine := make([]any, len(args))
		for i, a := range args {
			mine[i], _ = a.LocalClone()
		}
		wg.Go(func() {
			for range 20 {
				out, err := exec.Call(mine...)
				if err != nil {
					t.Error(err)
					return
				}
				if !slices.Equal(tensors.MustCopyFlatData[float32](out[0]), want[0]) {
					t.Error("a concurrent call has other bits")
				}
			}
		})
	}
	wg.Wait()
}

// update writes a window with DynamicUpdateSlice, which GoMLX's suite does not
// cover.
func update(x, window []float32, dims, windowDims, at []int) []float32 {
	y := slices.Clone(x)
	start := make([]int, len(at))
	for i := range at {
		start[i] = min(max(at[i], 0), dims[i]-windowDims[i])
	}
	strides, k := rowMajor(dims), 0
	walk(windowDims, []view{{dims: windowDims, strides: strides}}, func(i places) {
		to := i[0]
		for axis, s := range start {
			to += s * strides[axis]
		}
		y[to] = window[k]
		k++
	})
	return y
}

func TestDynamicUpdateSlice(t *testing.T) {
	b := open(t, Options{})
	dims, windowDims := []int{3, 8, 5}, []int{3, 2, 4}
	x, window := normal(1, dims...), normal(2, windowDims...)
	flat, flatWindow := tensors.MustCopyFlatData[float32](x), tensors.MustCopyFlatData[float32](window)
	for _, at := range [][]int{{0, 0, 0}, {0, 3, 1}, {0, 6, 1}, {-4, 7, 100}} {
		exec := MustNewExec(b, func(x, w, i, j, k *Node) []*Node {
			starts := []*Node{i, j, k}
			once := DynamicUpdateSlice(x, w, starts)
			twice := DynamicUpdateSlice(once, Neg(w), []*Node{i, OnePlus(j), k})
			return []*Node{once, twice, Add(x, once)}
		})
		for _, donate := range []bool{false, true} {
			c, err := x.LocalClone()
			if err != nil {
				t.Fatal(err)
			}
			var arg any = c
			if donate {
				if arg, err = DonateTensorBuffer(c, b, 0); err != nil {
					t.Fatal(err)
				}
			}
			out, err := exec.Call(arg, window, int32(at[0]), int32(at[1]), int32(at[2]))
			if err != nil {
				t.Fatal(err)
			}
			once := update(flat, flatWindow, dims, windowDims, at)
			negated := slices.Clone(flatWindow)
			for i := range negated {
				negated[i] = -negated[i]
			}
			sum := slices.Clone(flat)
			for i := range sum {
				sum[i] += once[i]
			}
			for i, want := range [][]float32{once, update(once, negated, dims, windowDims, []int{at[0], at[1] + 1, at[2]}), sum} {
				if got := tensors.MustCopyFlatData[float32](out[i]); !slices.Equal(got, want) {
					t.Errorf("at %v, donated %v: output %d is %v, want %v", at, donate, i, got, want)
				}
			}
			if !donate && !slices.Equal(tensors.MustCopyFlatData[float32](c), flat) {
				t.Errorf("at %v: an argument that was not donated has changed", at)
			}
		}
	}
}

// TestChainOfUpdatesKeepsMemory: a donated cache that a chain of updates writes
// comes back in the same memory.
func TestChainOfUpdatesKeepsMemory(t *testing.T) {
	b := open(t, Options{})
	builder := b.Builder("chain")
	f := builder.Main()
	must := func(v compute.Value, err error) compute.Value {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	cache := must(f.Parameter("cache", shapes.Make(dtypes.Float32, 4, 3), nil))
	row := must(f.Parameter("row", shapes.Make(dtypes.Float32, 1, 3), nil))
	zero := must(f.Constant([]int32{0}))
	y := cache
	for i := range 3 {
		y = must(f.DynamicUpdateSlice(y, row, []compute.Value{must(f.Constant([]int32{int32(i)})), zero}))
	}
	if err := f.Return([]compute.Value{y}, nil); err != nil {
		t.Fatal(err)
	}
	exec, err := builder.Compile()
	if err != nil {
		t.Fatal(err)
	}
	buffer := func(flat []float32, dims ...int) *Buffer {
		made, err := b.BufferFromFlatData(0, flat, shapes.Make(dtypes.Float32, dims...))
		if err != nil {
			t.Fatal(err)
		}
		return made.(*Buffer)
	}
	in := buffer(make([]float32, 12), 4, 3)
	memory := &in.bytes[0]
	out, err := exec.Execute([]compute.Buffer{in, buffer([]float32{1, 2, 3}, 1, 3)}, []bool{true, false}, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 12)
	if err := out[0].ToFlatData(got); err != nil {
		t.Fatal(err)
	}
	if want := []float32{1, 2, 3, 1, 2, 3, 1, 2, 3, 0, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("cache is %v, want %v", got, want)
	}
	if &out[0].(*Buffer).bytes[0] != memory {
		t.Error("the donated memory was not used")
	}
	if _, err := exec.Execute([]compute.Buffer{in, in}, nil, 0); err == nil || !strings.Contains(err.Error(), "finalized") {
		t.Errorf("a donated buffer is used again: %v", err)
	}
}

// TestErrors: what cannot be run comes back as an error that names it.
func TestErrors(t *testing.T) {
	b := open(t, Options{})
	builder := b.Builder("errors")
	f := builder.Main()
	x, err := f.Parameter("x", shapes.Make(dtypes.Float32, 2, 3), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Add(x, "no value"); err == nil {
		t.Error("a string is added")
	}
	if _, err := f.Reshape(x, 7); err == nil {
		t.Error("6 values are reshaped to 7")
	}
	if _, err := f.FusedGelu(x, true); !errors.Is(err, compute.ErrNotImplemented) || !strings.Contains(err.Error(), "FusedGelu") {
		t.Errorf("an operation that is missing: %v", err)
	}
	if _, err := builder.Compile(); err == nil {
		t.Error("a graph without outputs is compiled")
	}
	if err := f.Return([]compute.Value{x}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Neg(x); err == nil {
		t.Error("a function goes on after it has returned")
	}
	exec, err := builder.Compile()
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := b.BufferFromFlatData(0, make([]float32, 4), shapes.Make(dtypes.Float32, 4))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.Execute([]compute.Buffer{wrong}, nil, 0); err == nil || !strings.Contains(err.Error(), "x") {
		t.Errorf("a wrong shape: %v", err)
	}
	if _, err := exec.Execute(nil, nil, 0); err == nil {
		t.Error("a missing input is accepted")
	}
	if _, err := b.BufferFromFlatData(0, make([]float64, 4), shapes.Make(dtypes.Float32, 4)); err == nil {
		t.Error("float64s make a buffer of float32s")
	}
}

// TestPanicIsError: a panic of an instruction, on whatever thread, is an error of
// the call, and the engine goes on.
func TestPanicIsError(t *testing.T) {
	b := open(t, Options{Threads: 3})
	x := &Executable{backend: b, main: newFunction(newBuilder(b, "panic"), nil, "main")}
	e := x.newEnv()
	for range 20 {
		err := x.run(e, []instruction{{name: "fragile", run: func(e *env) error {
			return e.each(50, func(_ *env, _ *worker, part int) {
				if part == 33 {
					panic("broken")
				}
			})
		}}})
		if err == nil || !strings.Contains(err.Error(), "fragile: broken") {
			t.Fatalf("error %v", err)
		}
	}
	args := blockArgs(1, 5, 32)
	compareAll(t, evaluate(t, b, block, args...), evaluate(t, open(t, Options{Threads: 1}), block, args...), 0)
}
