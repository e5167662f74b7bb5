package engine

import (
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/nn"
)

// watched is an engine that shows each graph that it has compiled.
type watched struct {
	*Backend
	compiled func(x *Executable)
}

func (w watched) Builder(name string) compute.Builder {
	return watchedBuilder{w.Backend.Builder(name), w.compiled}
}

type watchedBuilder struct {
	compute.Builder
	compiled func(x *Executable)
}

func (b watchedBuilder) Compile() (compute.Executable, error) {
	x, err := b.Builder.Compile()
	if err == nil {
		b.compiled(x.(*Executable))
	}
	return x, err
}

// compiled returns the engine's graph of f and arguments of its shapes.
func compiled(t testing.TB, b *Backend, f func([]*Node) []*Node, of ...shapes.Shape) (*Executable, []compute.Buffer) {
	t.Helper()
	var x *Executable
	if _, err := MustNewExec(watched{b, func(made *Executable) { x = made }}, f).Compile(of...); err != nil {
		t.Fatal(err)
	}
	args := make([]compute.Buffer, len(of))
	for i, s := range of {
		var err error
		if args[i], err = b.BufferFromFlatData(0, dtypes.MakeAnySlice(s.DType, s.Size()), s); err != nil {
			t.Fatal(err)
		}
	}
	return x, args
}

// cachedStep reads one token a row, as a language model of one block does: a table [V, D],
// three weights, a gain [D], ids [N, 1], a position, and keys and values [N, M, D]. It
// returns the likeliest next tokens, the logits, the keys and the values.
func cachedStep(args []*Node) []*Node {
	table, qkv, up, down, gain, ids, position, keys, values := args[0], args[1], args[2], args[3], args[4], args[5], args[6], args[7], args[8]
	g := table.Graph()
	x := InsertAxes(Gather(table, ids), 1)
	h := nn.LayerNorm(x, []int{-1}, 1e-5, gain, gain, nil)
	parts := Split(nn.Dense(h, qkv, nil, compute.DenseLayoutOutputsInput), -1, 3)
	zero := Const(g, int32(0))
	keys = DynamicUpdateSlice(keys, parts[1], []*Node{zero, position, zero})
	values = DynamicUpdateSlice(values, parts[2], []*Node{zero, position, zero})
	scores := Einsum("bqd,bkd->bqk", parts[0], keys)
	later := GreaterThan(Iota(g, shapes.Make(dtypes.Int32, scores.Shape().Dimensions...), 2), BroadcastToDims(position, scores.Shape().Dimensions...))
	scores = Where(later, ConstAs(scores, -1e9), scores)
	x = Add(x, Einsum("bqk,bkd->bqd", Softmax(scores, -1), values))
	h = nn.Dense(x, up, nil, compute.DenseLayoutInputOutputs)
	h = Mul(MulScalar(h, 0.5), OnePlus(Tanh(h)))
	x = Add(x, nn.Dense(h, down, gain, compute.DenseLayoutInputOutputs))
	logits := nn.Dense(Squeeze(x, 1), table, nil, compute.DenseLayoutOutputsInput)
	return []*Node{ArgMax(logits, -1), logits, keys, values}
}

func cachedStepShapes(rows int) []shapes.Shape {
	const vocabulary, room, width = 301, 64, 96
	float := func(dims ...int) shapes.Shape { return shapes.Make(dtypes.Float32, dims...) }
	return []shapes.Shape{
		float(vocabulary, width), float(3*width, width), float(width, 4*width), float(4*width, width), float(width),
		shapes.Make(dtypes.Int32, rows, 1), shapes.Make(dtypes.Int32), float(rows, room, width), float(rows, room, width),
	}
}

// newStep returns a function that reads one token more, with a cache that it donates.
func newStep(t testing.TB, b *Backend, rows int) func(t testing.TB) {
	x, args := compiled(t, b, cachedStep, cachedStepShapes(rows)...)
	donate := make([]bool, len(args))
	donate[7], donate[8] = true, true
	return func(t testing.TB) {
		out, err := x.Execute(args, donate, 0)
		if err != nil {
			t.Fatal(err)
		}
		args[7], args[8] = out[2], out[3]
		for _, o := range out[:2] {
			if err := o.Finalize(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestFailedStepLeavesNothing: where an instruction panics, the call has its error, what was
// donated is gone, what was not is as it was, and the graph runs again.
func TestFailedStepLeavesNothing(t *testing.T) {
	b := open(t, Options{Threads: 3})
	x, args := compiled(t, b, cachedStep, cachedStepShapes(5)...)
	donate := make([]bool, len(args))
	donate[7], donate[8] = true, true
	whole := x.instructions
	for i := range whole {
		x.instructions = append(whole[:i:i], instruction{name: "fragile", run: func(e *env) error {
			return e.each(9, func(_ *env, _ *worker, part int) { panic("broken") })
		}})
		for j, s := range cachedStepShapes(5)[7:] {
			var err error
			if args[7+j], err = b.BufferFromFlatData(0, make([]float32, s.Size()), s); err != nil {
				t.Fatal(err)
			}
		}
		if out, err := x.Execute(args, donate, 0); out != nil || err == nil || !strings.Contains(err.Error(), "fragile: broken") {
			t.Fatalf("results %v, error %v", out, err)
		}
		for j, a := range args {
			if a.(*Buffer).finalized() != donate[j] {
				t.Errorf("instruction %d: argument %d is finalized: %v", i, j, !donate[j])
			}
		}
	}
	x.instructions = whole
	if _, err := x.Execute(args[:7:7], nil, 0); err == nil {
		t.Error("missing inputs are accepted")
	}
}

// TestUsage: of y = tanh(x·w)·w + x, x [N, D], the product's result, tanh of which takes its
// place, and y are in use at once.
func TestUsage(t *testing.T) {
	const n, d = 64, 96
	b := open(t, Options{})
	compiled(t, b, func(args []*Node) []*Node {
		x, w := args[0], args[1]
		times := func(x *Node) *Node { return nn.Dense(x, w, nil, compute.DenseLayoutInputOutputs) }
		return []*Node{Add(times(Tanh(times(x))), x)}
	}, shapes.Make(dtypes.Float32, n, d), shapes.Make(dtypes.Float32, d, d))
	if got, want := b.Usage(), (Usage{2 * 4 * n * d, 2 * 4 * n * d}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestWhereKeepsMemory: a Where that writes one position of a donated cache [N, M, D] does so
// in its memory, unless the cache is read later.
func TestWhereKeepsMemory(t *testing.T) {
	const n, m, d, at = 2, 5, 16, 3
	b := open(t, Options{})
	for _, readLater := range []bool{false, true} {
		x, args := compiled(t, b, func(args []*Node) []*Node {
			cache, row, position := args[0], args[1], args[2]
			dims := cache.Shape().Dimensions
			here := Equal(Iota(cache.Graph(), shapes.Make(dtypes.Int32, 1, m, 1), 1), BroadcastToDims(position, 1, m, 1))
			out := []*Node{Where(BroadcastToDims(here, dims...), BroadcastToDims(row, dims...), cache)}
			out = append(out, ReduceSum(out[0], 1))
			if readLater {
				out = append(out, ReduceSum(cache, 1))
			}
			return out
		}, shapes.Make(dtypes.Float32, n, m, d), shapes.Make(dtypes.Float32, n, 1, d), shapes.Make(dtypes.Int32))
		fill := func(i int, flat any) {
			var err error
			if args[i], err = b.BufferFromFlatData(0, flat, x.inputShapes[i]); err != nil {
				t.Fatal(err)
			}
		}
		fill(0, slices.Repeat([]float32{1}, n*m*d))
		fill(1, slices.Repeat([]float32{7}, n*d))
		fill(2, []int32{at})
		memory := &args[0].(*Buffer).bytes[0]
		out, err := x.Execute(args, []bool{true, false, false}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if kept := &out[0].(*Buffer).bytes[0] == memory; kept == readLater {
			t.Errorf("read later %v: the donated memory was used: %v", readLater, kept)
		}
		for i, want := range []float32{7, 7 + (m - 1), m}[:len(out)] {
			got := make([]float32, out[i].(*Buffer).shape.Size())
			if err := out[i].ToFlatData(got); err != nil {
				t.Fatal(err)
			}
			first := 0
			if i == 0 {
				first = at * d
			}
			for ; first < len(got); first += len(got) / n {
				if got[first] != want {
					t.Errorf("read later %v: output %d has %g, want %g", readLater, i, got[first], want)
				}
			}
		}
	}
}

// TestUpdateWithItself: what is written may be a part of what it is written to.
func TestUpdateWithItself(t *testing.T) {
	const m, d = 6, 16
	f := func(args []*Node) []*Node {
		x := Neg(args[0])
		g, here := x.Graph(), GreaterThan(args[1], ZerosLike(args[1]))
		shifted := DynamicUpdateSlice(x, Slice(x, AxisRange(0, m-1)), []*Node{Const(g, int32(1)), Const(g, int32(0))})
		y := OnePlus(args[0])
		return []*Node{shifted, Where(BroadcastToDims(here, m, d), Reverse(y, 0), y)}
	}
	x, condition := normal(1, m, d), tensors.FromFlatDataAndDimensions([]float32{1, -1, 1, 1, -1, 1}, m, 1)
	got := evaluate(t, open(t, Options{}), f, x, condition)
	flat := tensors.MustCopyFlatData[float32](x)
	for i := range m {
		for j := range d {
			if want := -flat[max(i-1, 0)*d+j]; got[0][i*d+j] != want {
				t.Errorf("shifted: row %d is %g, want %g", i, got[0][i*d+j], want)
			}
			from := i
			if i != 1 && i != 4 {
				from = m - 1 - i
			}
			if want := 1 + flat[from*d+j]; got[1][i*d+j] != want {
				t.Errorf("reversed: row %d is %g, want %g", i, got[1][i*d+j], want)
			}
		}
	}
}
