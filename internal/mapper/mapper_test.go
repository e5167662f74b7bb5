package mapper_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/weights"
)

// tolerance is what two blocks of float32 cost against float64, relative to the largest
// value.
const tolerance = 1e-5

func tinyMLP() mapper.Config {
	return mapper.Config{Kind: mapper.KindMLP, ClipWidth: 3, PrefixLength: 2, Width: 4}
}

func tinyTransformer() mapper.Config {
	return mapper.Config{Kind: mapper.KindTransformer, ClipWidth: 3, PrefixLength: 3, Width: 4, ClipLength: 2, Layers: 2, Heads: 2}
}

func tinyLinear() mapper.Config {
	return mapper.Config{Kind: mapper.KindLinear, ClipWidth: 3, PrefixLength: 2, Width: 5}
}

// declare returns a store with the variables of a mapper, none of which has a value.
func declare(t *testing.T, c mapper.Config) *model.Store {
	t.Helper()
	store := model.NewStore()
	err := weights.Declare(golden.Engine(t), store, func(root *model.Scope, g *Graph) {
		c.Network().Prefix(root, Zeros(g, shapes.Make(dtypes.Float32, 1, c.ClipWidth)))
	})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// TestParameters counts what the papers' mappers learn: 31.5 million parameters the MLP,
// 57.5 million the released transformer, 42.7 million that of the paper's table, which
// has ten tokens of either kind.
func TestParameters(t *testing.T) {
	table := mapper.PaperTransformer()
	table.ClipLength, table.PrefixLength = 10, 10
	for _, test := range []struct {
		name   string
		config mapper.Config
		want   int
	}{
		{"PaperMLP", mapper.PaperMLP(), 31_468_800},
		{"PaperTransformer", mapper.PaperTransformer(), 57_520_128},
		{"the paper's table", table, 42_728_448},
		{"PaperLinear", mapper.PaperLinear(), 512*768 + 768},
	} {
		got := 0
		for v := range declare(t, test.config).IterVariables() {
			got += v.Shape().Size()
		}
		if got != test.want {
			t.Errorf("%s has %d parameters, want %d", test.name, got, test.want)
		}
	}
}

// TestVariables holds the names of ClipCap's checkpoints and DeCap's one layer, below clip_project.
func TestVariables(t *testing.T) {
	transformer := []string{"linear.weight", "linear.bias", "prefix_const"}
	for _, layer := range []string{"0", "1"} {
		for _, name := range []string{
			"norm1.weight", "norm1.bias", "attn.to_queries.weight", "attn.to_keys_values.weight",
			"attn.project.weight", "attn.project.bias",
			"norm2.weight", "norm2.bias", "mlp.fc1.weight", "mlp.fc1.bias", "mlp.fc2.weight", "mlp.fc2.bias",
		} {
			transformer = append(transformer, "transformer.layers."+layer+"."+name)
		}
	}
	for _, test := range []struct {
		config mapper.Config
		want   []string
	}{
		{tinyMLP(), []string{"model.0.weight", "model.0.bias", "model.2.weight", "model.2.bias"}},
		{tinyTransformer(), transformer},
		{tinyLinear(), []string{"linear.weight", "linear.bias"}},
	} {
		var got []string
		for v := range declare(t, test.config).IterVariables() {
			got = append(got, weights.TensorName(v.Path()))
		}
		slices.Sort(got)
		slices.Sort(test.want)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: the variables are %q, want %q", test.config.Kind, got, test.want)
		}
	}
}

// TestPrefix compares the networks with the formulas written out in float64.
func TestPrefix(t *testing.T) {
	const batch = 5
	for _, test := range []struct {
		config mapper.Config
		naive  func(naive, []float64) []float64
	}{
		{tinyMLP(), naive.mlp},
		{tinyTransformer(), naive.transformer},
		{tinyLinear(), func(n naive, x []float64) []float64 { return n.linear("linear", x) }},
	} {
		c := test.config
		store := declare(t, c)
		n := naive{c, fill(t, store)}
		embeddings := random(rand.New(rand.NewPCG(2, 0)), batch*c.ClipWidth)
		exec, err := model.NewExec(golden.Engine(t), store, c.Network().Prefix)
		if err != nil {
			t.Fatal(err)
		}
		got, err := exec.Call1(tensors.FromFlatDataAndDimensions(embeddings, batch, c.ClipWidth))
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{batch, c.PrefixLength, c.Width}; !slices.Equal(got.Shape().Dimensions, want) {
			t.Errorf("%s: shape is %v, want %v", c.Kind, got.Shape().Dimensions, want)
		}
		var want []float32
		for b := range batch {
			for _, v := range test.naive(n, wide(embeddings[b*c.ClipWidth:(b+1)*c.ClipWidth])) {
				want = append(want, float32(v))
			}
		}
		golden.Compare(t, string(c.Kind), golden.Values(t, got), want, tolerance)
		if _, err := exec.Call1(tensors.FromFlatDataAndDimensions(embeddings, c.ClipWidth, batch)); err == nil {
			t.Errorf("%s: embeddings of another width are taken", c.Kind)
		}
	}
}

// fill gives every variable values that are not those it would start with, and returns
// them by name.
func fill(t *testing.T, store *model.Store) map[string][]float64 {
	t.Helper()
	values := make(map[string][]float64)
	seed := uint64(0)
	for v := range store.IterVariables() {
		seed++
		flat := random(rand.New(rand.NewPCG(1, seed)), v.Shape().Size())
		if err := v.SetValue(tensors.FromFlatDataAndDimensions(flat, v.Shape().Dimensions...)); err != nil {
			t.Fatal(err)
		}
		values[weights.TensorName(v.Path())] = wide(flat)
	}
	return values
}

func random(rng *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(rng.NormFloat64())
	}
	return out
}

func wide(values []float32) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = float64(v)
	}
	return out
}

func TestValidate(t *testing.T) {
	with := func(c mapper.Config, change func(*mapper.Config)) mapper.Config {
		change(&c)
		return c
	}
	mlp, transformer := tinyMLP(), tinyTransformer()
	for _, test := range []struct {
		config mapper.Config
		want   string // "": valid
	}{
		{mapper.PaperMLP(), ""},
		{mapper.PaperTransformer(), ""},
		{mlp, ""},
		{mapper.PaperLinear(), ""},
		{with(tinyLinear(), func(c *mapper.Config) { c.PrefixLength = 0 }), "prefix_length is 0"},
		{transformer, ""},
		{mapper.Config{}, `kind is ""`},
		{with(mlp, func(c *mapper.Config) { c.Kind = "rnn" }), `kind is "rnn", want "mlp", "transformer" or "linear"`},
		{with(mlp, func(c *mapper.Config) { c.ClipWidth = 0 }), "clip_width is 0"},
		{with(mlp, func(c *mapper.Config) { c.PrefixLength = -1 }), "prefix_length is -1"},
		{with(mlp, func(c *mapper.Config) { c.Width = 0 }), "width is 0"},
		{with(mlp, func(c *mapper.Config) { c.PrefixLength, c.Width = 3, 5 }), "prefix_length 3 × width 5 is odd"},
		{with(transformer, func(c *mapper.Config) { c.ClipLength = 0 }), "clip_length is 0"},
		{with(transformer, func(c *mapper.Config) { c.Layers = 0 }), "layers is 0"},
		{with(transformer, func(c *mapper.Config) { c.Heads = 0 }), "heads is 0"},
		{with(transformer, func(c *mapper.Config) { c.Heads = 3 }), "width 4 is not a multiple of 3 heads"},
		{with(transformer, func(c *mapper.Config) { c.PrefixLength, c.Width, c.Heads = 3, 5, 5 }), ""},
	} {
		err := test.config.Validate()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), "mapper: ") || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%+v: error is %v, want %q", test.config, err, test.want)
		}
	}
}
