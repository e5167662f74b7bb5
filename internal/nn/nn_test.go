package nn_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/nn"
)

// tolerance is what float32 costs against the float64 of the naive formulas, relative
// to the largest value.
const tolerance = 1e-6

// network is a graph over one input, with its variables below a scope.
type network = func(scope *model.Scope, x *Node) *Node

// compile prepares to run f with the variables of store.
func compile(t *testing.T, store *model.Store, f network) *model.Exec {
	t.Helper()
	exec, err := model.NewExec(golden.Engine(t), store, f)
	if err != nil {
		t.Fatal(err)
	}
	return exec
}

// run runs f over x with the variables of store.
func run(t *testing.T, store *model.Store, f network, x any) *tensors.Tensor {
	t.Helper()
	return call(t, compile(t, store, f), x)
}

func call(t *testing.T, exec *model.Exec, x any) *tensors.Tensor {
	t.Helper()
	out, err := exec.Call1(x)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// random draws values about as large as activations are.
func random(seed uint64, n int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 0))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(2 * rng.NormFloat64())
	}
	return out
}

// give puts a variable into store and returns its values.
func give(t *testing.T, store *model.Store, path string, dims ...int) []float32 {
	t.Helper()
	values := random(uint64(len(path)), size(dims))
	if _, err := store.CreateVariable(path, tensors.FromFlatDataAndDimensions(values, dims...)); err != nil {
		t.Fatal(err)
	}
	return values
}

// size is the number of values of a tensor.
func size(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// drawn returns what init makes of a parameter of 10,000 values.
func drawn(t *testing.T, seed int64, path []string, init nn.Init) []float32 {
	t.Helper()
	store := model.NewStore()
	store.SetParam("/"+nn.SeedParam, seed)
	return golden.Values(t, run(t, store, func(scope *model.Scope, x *Node) *Node {
		for _, name := range path[:len(path)-1] {
			scope = scope.At("%s", name)
		}
		return Add(nn.Param(scope, x.Graph(), path[len(path)-1], init, 100, 100), x)
	}, float32(0)))
}

// TestParamIsAFunctionOfSeedAndPath holds that initial values are the same in every
// run, and different wherever seed or path is.
func TestParamIsAFunctionOfSeedAndPath(t *testing.T) {
	type place struct {
		seed int64
		path []string
	}
	var all [][]float32
	for _, p := range []place{
		{1, []string{"weight"}},
		{2, []string{"weight"}},
		{-1, []string{"weight"}},
		{257, []string{"weight"}},
		{1 + 1<<56, []string{"weight"}},
		{1, []string{"bias"}},
		{1, []string{"h", "0", "weight"}},
		{1, []string{"h", "1", "weight"}},
	} {
		values := drawn(t, p.seed, p.path, nn.Normal(1))
		if !slices.Equal(values, drawn(t, p.seed, p.path, nn.Normal(1))) {
			t.Errorf("%v: two runs differ", p)
		}
		for i, other := range all {
			if slices.Equal(values, other) {
				t.Errorf("%v has the values of place %d", p, i)
			}
		}
		all = append(all, values)
	}
}

// TestParamsAreIndependent adds variables before and behind one.
func TestParamsAreIndependent(t *testing.T) {
	value := func(names ...string) []float32 {
		return golden.Values(t, run(t, model.NewStore(), func(scope *model.Scope, x *Node) *Node {
			var weight *Node
			for _, name := range names {
				if p := nn.Param(scope, x.Graph(), name, nn.Normal(1), 50); name == "weight" {
					weight = p
				}
			}
			return Add(weight, x)
		}, float32(0)))
	}
	if alone, among := value("weight"), value("first", "weight", "last"); !slices.Equal(alone, among) {
		t.Error("other variables change a variable's initial values")
	}
}

func TestParamKeepsWhatTheStoreHolds(t *testing.T) {
	store := model.NewStore()
	want := give(t, store, "/weight", 3, 2)
	got := run(t, store, func(scope *model.Scope, x *Node) *Node {
		return Add(nn.Param(scope, x.Graph(), "weight", nn.Constant(5), 3, 2), x)
	}, float32(0))
	golden.Compare(t, "weight", golden.Values(t, got), want, 0)
}

func TestInit(t *testing.T) {
	const fanIn = 16 // bound 1/4
	for _, test := range []struct {
		name            string
		init            nn.Init
		mean, deviation float64
		least, most     float64
	}{
		{"constant 0", nn.Constant(0), 0, 0, 0, 0},
		{"constant 1", nn.Constant(1), 1, 0, 1, 1},
		{"normal", nn.Normal(0.02), 0, 0.02, -0.02 * 6, 0.02 * 6},
		{"fan-in", nn.FanIn(fanIn), 0, 0.25 / math.Sqrt(3), -0.25, 0.25},
	} {
		values := drawn(t, 3, []string{"weight"}, test.init)
		sum, squares := 0.0, 0.0
		for _, v := range values {
			sum, squares = sum+float64(v), squares+float64(v)*float64(v)
		}
		n := float64(len(values))
		mean := sum / n
		deviation := math.Sqrt(max(0, squares/n-mean*mean))
		// Five standard errors of 10,000 draws.
		if bound := 5 * test.deviation / math.Sqrt(n); math.Abs(mean-test.mean) > bound || math.Abs(deviation-test.deviation) > bound {
			t.Errorf("%s: mean %g and deviation %g, want %g and %g", test.name, mean, deviation, test.mean, test.deviation)
		}
		if least, most := float64(slices.Min(values)), float64(slices.Max(values)); least < test.least || most > test.most {
			t.Errorf("%s: from %g to %g, want from %g to %g", test.name, least, most, test.least, test.most)
		}
	}
}

func TestBlocks(t *testing.T) {
	for _, test := range []struct {
		names []string
		want  int
	}{
		{nil, 0},
		{[]string{"wte.weight"}, 0},
		{[]string{"h.0.ln_1.weight", "h.0.ln_1.bias"}, 1},
		{[]string{"h.2.ln_1.weight", "h.10.ln_1.weight", "h.1.ln_1.weight"}, 11},
		{[]string{"h.0.w", "other.h.7.w", "h.last.w", "h.-3.w", "head.5.w"}, 1},
	} {
		shapes := make(map[string][]int)
		for _, name := range test.names {
			shapes[name] = []int{1}
		}
		if got := nn.Blocks(shapes, "h."); got != test.want {
			t.Errorf("%q: %d blocks, want %d", test.names, got, test.want)
		}
	}
}
