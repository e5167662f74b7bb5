package nn_test

import (
	"math"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/nn"
)

// product is x·W + b for rows x [n, in]; weight(i, o) is W's element, b may be nil.
func product(x []float32, in, out int, weight func(i, o int) float32, bias []float32) []float32 {
	var result []float32
	for row := 0; row < len(x); row += in {
		for o := range out {
			sum := 0.0
			if bias != nil {
				sum = float64(bias[o])
			}
			for i := range in {
				sum += float64(x[row+i]) * float64(weight(i, o))
			}
			result = append(result, float32(sum))
		}
	}
	return result
}

// TestProducts runs every layer that is a matrix product, over vectors and over
// sequences of them, and holds which way around each stores its weight.
func TestProducts(t *testing.T) {
	const in, out = 5, 3
	torch, gpt := []int{out, in}, []int{in, out}
	for _, test := range []struct {
		name   string
		weight []int
		bias   bool
		layer  network
	}{
		{"Linear", torch, true, func(s *model.Scope, x *Node) *Node { return nn.Linear(s, x, out) }},
		{"LinearNoBias", torch, false, func(s *model.Scope, x *Node) *Node { return nn.LinearNoBias(s, x, out) }},
		{"Conv1D", gpt, true, func(s *model.Scope, x *Node) *Node { return nn.Conv1D(s, x, out, 0.02) }},
		{"Times", gpt, false, func(s *model.Scope, x *Node) *Node {
			return nn.Times(x, nn.Param(s, x.Graph(), "weight", nn.Normal(1), in, out))
		}},
	} {
		for _, rows := range [][]int{{4}, {2, 3}} {
			store := model.NewStore()
			weight := give(t, store, "/weight", test.weight...)
			var bias []float32
			variables := 1
			if test.bias {
				bias = give(t, store, "/bias", out)
				variables++
			}
			dims := append(rows, in)
			x := tensors.FromFlatDataAndDimensions(random(9, size(dims)), dims...)
			got := run(t, store, test.layer, x)
			want := product(golden.Values(t, x), in, out, func(i, o int) float32 {
				if test.weight[0] == out {
					return weight[o*in+i]
				}
				return weight[i*out+o]
			}, bias)
			golden.Compare(t, test.name, golden.Values(t, got), want, tolerance)
			if n := store.NumVariables(); n != variables {
				t.Errorf("%s has %d variables, want %d", test.name, n, variables)
			}
		}
	}
}

func TestLookup(t *testing.T) {
	const entries, width = 4, 3
	store := model.NewStore()
	table := give(t, store, "/table", entries, width)
	ids := [][]int32{{3, 0}, {1, 3}, {2, 2}}
	got := run(t, store, func(s *model.Scope, x *Node) *Node {
		return nn.Lookup(nn.Param(s, x.Graph(), "table", nn.Normal(1), entries, width), x)
	}, ids)
	if want := []int{3, 2, width}; !slices.Equal(got.Shape().Dimensions, want) {
		t.Fatalf("shape is %v, want %v", got.Shape().Dimensions, want)
	}
	var want []float32
	for _, row := range ids {
		for _, id := range row {
			want = append(want, table[id*width:(id+1)*width]...)
		}
	}
	golden.Compare(t, "rows", golden.Values(t, got), want, 0)
}

// layerNorm is torch's: the variance is divided by n, and ε stands below the root.
func layerNorm(x []float32, width int, epsilon float64, gain, bias []float32) []float32 {
	var out []float32
	for row := 0; row < len(x); row += width {
		mean, variance := 0.0, 0.0
		for _, v := range x[row : row+width] {
			mean += float64(v) / float64(width)
		}
		for _, v := range x[row : row+width] {
			variance += (float64(v) - mean) * (float64(v) - mean) / float64(width)
		}
		for i, v := range x[row : row+width] {
			out = append(out, float32((float64(v)-mean)/math.Sqrt(variance+epsilon)*float64(gain[i])+float64(bias[i])))
		}
	}
	return out
}

// TestLayerNorm uses an ε that shows, and vectors of little and of no variance.
func TestLayerNorm(t *testing.T) {
	const width = 6
	x := append(random(7, 3*width), 1, 1, 1, 1, 1, 1, 0, 1e-3, 0, 0, 0, 0)
	for _, epsilon := range []float64{1e-5, 0.5} {
		store := model.NewStore()
		gain, bias := give(t, store, "/weight", width), give(t, store, "/bias", width)
		got := run(t, store, func(s *model.Scope, x *Node) *Node { return nn.LayerNorm(s, x, epsilon) },
			tensors.FromFlatDataAndDimensions(x, 1, len(x)/width, width))
		golden.Compare(t, "LayerNorm", golden.Values(t, got), layerNorm(x, width, epsilon, gain, bias), tolerance)
	}
}

func TestLayerNormStartsPlain(t *testing.T) {
	const width = 4
	x := random(8, 2*width)
	got := run(t, model.NewStore(), func(s *model.Scope, x *Node) *Node { return nn.LayerNorm(s, x, 1e-5) },
		tensors.FromFlatDataAndDimensions(x, 2, width))
	want := layerNorm(x, width, 1e-5, []float32{1, 1, 1, 1}, make([]float32, width))
	golden.Compare(t, "LayerNorm", golden.Values(t, got), want, tolerance)
}

func TestUnit(t *testing.T) {
	got := run(t, model.NewStore(), func(_ *model.Scope, x *Node) *Node { return nn.Unit(x) },
		[][]float32{{3, 4}, {-300, 400}, {0, 0}, {0, -1e-3}})
	golden.Compare(t, "Unit", golden.Values(t, got), []float32{0.6, 0.8, -0.6, 0.8, 0, 0, 0, -1}, tolerance)
}

func TestActivations(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	x := []float32{-30, -5, -1.5, -1, -0.1, 0, 0.1, 0.5, 1, 2, 7, 30}
	for _, test := range []struct {
		name       string
		activation func(*Node) *Node
		formula    func(float64) float64
	}{
		{"QuickGELU", nn.QuickGELU, func(x float64) float64 { return x * sigmoid(1.702*x) }},
		{"GELU", nn.GELU, func(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }},
		{"GELUTanh", nn.GELUTanh, func(x float64) float64 {
			return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
		}},
		{"ReLU", nn.ReLU, func(x float64) float64 { return max(x, 0) }},
	} {
		got := run(t, model.NewStore(), func(_ *model.Scope, x *Node) *Node { return test.activation(x) }, x)
		values := golden.Values(t, got)
		for i, v := range x {
			// One by one: beside 30, the difference between two GELUs would not show.
			want := test.formula(float64(v))
			if d := math.Abs(float64(values[i]) - want); !(d <= tolerance*max(1, math.Abs(want))) {
				t.Errorf("%s(%g) is %g, want %g", test.name, v, values[i], want)
			}
		}
	}
}
