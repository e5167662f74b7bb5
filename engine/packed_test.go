package engine

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// compileTied compiles an embedding that is the output layer too, as GPT-2's:
// table [V, D] and ids [N, 1] give the rows [N, D] and logits [N, V].
func compileTied(t *testing.T, b *Backend, n, v, d int) compute.Executable {
	t.Helper()
	builder := b.Builder("tied")
	f := builder.Main()
	must := func(value compute.Value, err error) compute.Value {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	table := must(f.Parameter("table", shapes.Make(dtypes.Float32, v, d), nil))
	ids := must(f.Parameter("ids", shapes.Make(dtypes.Int32, n, 1), nil))
	rows := must(f.Gather(table, ids, 1, []int{1}, []int{0}, []int{0}, []int{1, d}, false))
	logits := must(f.FusedDense(rows, table, nil, compute.DenseConfig{WeightLayout: compute.DenseLayoutOutputsInput}))
	if err := f.Return([]compute.Value{rows, logits}, nil); err != nil {
		t.Fatal(err)
	}
	exec, err := builder.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return exec
}

// TestFilledBuffer: what fill writes is the tensor, and who was lent its memory keeps it
// when the packed copy takes its place.
func TestFilledBuffer(t *testing.T) {
	const n, v, d = 3, 301, 96
	b := open(t, Options{})
	shape := shapes.Make(dtypes.Float32, d, v)
	made, err := b.FilledBuffer(shape, func(flat []float32) {
		for i := range flat {
			flat[i] = float32(i % 13)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	table := made.(*Buffer)
	lent, err := table.values()
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(lent)
	builder := b.Builder("product")
	f := builder.Main()
	x, err := f.Parameter("x", shapes.Make(dtypes.Float32, n, d), nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := f.Parameter("w", shape, nil)
	if err != nil {
		t.Fatal(err)
	}
	y, err := f.FusedDense(x, w, nil, compute.DenseConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Return([]compute.Value{y}, nil); err != nil {
		t.Fatal(err)
	}
	exec, err := builder.Compile()
	if err != nil {
		t.Fatal(err)
	}
	ones, err := b.FilledBuffer(shapes.Make(dtypes.Float32, n, d), func(flat []float32) { flat[0] = 1 })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.Execute([]compute.Buffer{ones, table}, nil, 0); err != nil {
		t.Fatal(err)
	}
	if !table.dropped {
		t.Error("the matrix is in memory twice")
	}
	for range 4 {
		clear(b.memory.take(len(want)))
	}
	if !slices.Equal(lent, want) {
		t.Error("memory that was lent is given to others")
	}
	if got, err := table.values(); err != nil || !slices.Equal(got, want) {
		t.Errorf("the matrix came back changed: %v", err)
	}
	if _, err := b.FilledBuffer(shapes.Make(dtypes.Int32, 3), nil); err == nil {
		t.Error("a buffer of integers is filled with float32s")
	}
}

// TestPackedCopyIsTheOnlyOne: a matrix that is read through its packed copy alone
// is in memory once, and comes back whole when it is asked for.
func TestPackedCopyIsTheOnlyOne(t *testing.T) {
	const n, v, d = 3, 301, 96
	b := open(t, Options{})
	exec := compileTied(t, b, n, v, d)
	flat := make([]float32, v*d)
	for i := range flat {
		flat[i] = float32(i%997)/997 - 0.5
	}
	buffer := func(flat any, shape shapes.Shape) *Buffer {
		made, err := b.BufferFromFlatData(0, flat, shape)
		if err != nil {
			t.Fatal(err)
		}
		return made.(*Buffer)
	}
	table := buffer(flat, shapes.Make(dtypes.Float32, v, d))
	at := []int32{300, 0, 77}
	ids := buffer(at, shapes.Make(dtypes.Int32, n, 1))
	for range 2 {
		out, err := exec.Execute([]compute.Buffer{table, ids}, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		rows, logits := make([]float32, n*d), make([]float32, n*v)
		if err := out[0].ToFlatData(rows); err != nil {
			t.Fatal(err)
		}
		if err := out[1].ToFlatData(logits); err != nil {
			t.Fatal(err)
		}
		checkTied(t, flat, rows, logits, at, v, d)
		if table.bytes != nil || !table.dropped {
			t.Error("the matrix is in memory twice")
		}
	}
	got := make([]float32, v*d)
	if err := table.ToFlatData(got); err != nil || !slices.Equal(got, flat) {
		t.Errorf("the matrix came back changed: %v", err)
	}
	if _, err := exec.Execute([]compute.Buffer{table, ids}, nil, 0); err != nil || table.dropped {
		t.Errorf("values that were asked for are dropped again: %v", err)
	}
	if err := table.Finalize(); err != nil {
		t.Fatal(err)
	}
	if _, err := exec.Execute([]compute.Buffer{table, ids}, nil, 0); err == nil {
		t.Error("a finalized matrix is used")
	}
}

func checkTied(t *testing.T, table, rows, logits []float32, ids []int32, v, d int) {
	t.Helper()
	for i, id := range ids {
		row := table[int(id)*d : (int(id)+1)*d]
		if !slices.Equal(rows[i*d:(i+1)*d], row) {
			t.Fatalf("row %d is not that of id %d", i, id)
		}
		for j := range v {
			want := 0.0
			for k := range d {
				want += float64(row[k]) * float64(table[j*d+k])
			}
			if got := float64(logits[i*v+j]); math.Abs(got-want) > 1e-5 {
				t.Fatalf("logit %d of row %d is %g, want %g", j, i, got, want)
			}
		}
	}
}
