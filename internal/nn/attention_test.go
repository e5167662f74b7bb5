package nn_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/nn"
)

// attention computes softmax(q·kᵀ/√d)·v head by head, over the allowed keys alone. The
// tensors are [batch, queries or keys, heads, d]; where no key is allowed, all are.
func attention(q, k, v []float32, batch, queries, keys, heads, d int, allowed func(query, key int) bool) []float32 {
	at := func(x []float32, b, length, t, h, i int) float64 { return float64(x[((b*length+t)*heads+h)*d+i]) }
	out := make([]float32, batch*queries*heads*d)
	for b := range batch {
		for query := range queries {
			for h := range heads {
				none := true
				for key := range keys {
					none = none && !allowed(query, key)
				}
				weights, total := make([]float64, keys), 0.0
				for key := range keys {
					score := 0.0
					for i := range d {
						score += at(q, b, queries, query, h, i) * at(k, b, keys, key, h, i)
					}
					if allowed(query, key) {
						weights[key] = math.Exp(score / math.Sqrt(float64(d)))
					} else if none {
						weights[key] = 1
					}
					total += weights[key]
				}
				for i := range d {
					sum := 0.0
					for key := range keys {
						sum += weights[key] / total * at(v, b, keys, key, h, i)
					}
					out[((b*queries+query)*heads+h)*d+i] = float32(sum)
				}
			}
		}
	}
	return out
}

func TestAttention(t *testing.T) {
	const batch, heads, d = 2, 3, 4
	every := func(int, int) bool { return true }
	for _, test := range []struct {
		name          string
		queries, keys int
		mask          func(g *Graph) *Node
		allowed       func(query, key int) bool
	}{
		{"all", 5, 5, func(*Graph) *Node { return nil }, every},
		{"other keys than queries", 2, 5, func(*Graph) *Node { return nil }, every},
		{"causal", 5, 5, func(g *Graph) *Node { return nn.CausalMask(g, 5) }, func(query, key int) bool { return key <= query }},
		{"one query of a cache", 1, 6, func(g *Graph) *Node { return nn.UpTo(Scalar(g, dtypes.Int32, 3), 6) }, func(_, key int) bool { return key <= 3 }},
		{"nothing allowed", 2, 3, func(g *Graph) *Node { return nn.UpTo(Scalar(g, dtypes.Int32, -1), 3) }, func(int, int) bool { return false }},
	} {
		width := heads * d
		q, k, v := random(1, batch*test.queries*width), random(2, batch*test.keys*width), random(3, batch*test.keys*width)
		got, err := CallOnceN(golden.Engine(t), func(inputs []*Node) []*Node {
			for i := range inputs {
				inputs[i] = nn.SplitHeads(inputs[i], heads)
			}
			return []*Node{nn.Attention(inputs[0], inputs[1], inputs[2], test.mask(inputs[0].Graph()), nil)}
		},
			tensors.FromFlatDataAndDimensions(q, batch, test.queries, width),
			tensors.FromFlatDataAndDimensions(k, batch, test.keys, width),
			tensors.FromFlatDataAndDimensions(v, batch, test.keys, width))
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{batch, test.queries, width}; !slices.Equal(got[0].Shape().Dimensions, want) {
			t.Errorf("%s: shape is %v, want %v", test.name, got[0].Shape().Dimensions, want)
		}
		want := attention(q, k, v, batch, test.queries, test.keys, heads, d, test.allowed)
		golden.Compare(t, test.name, golden.Values(t, got[0]), want, tolerance)
	}
}

// TestAttentionDropsWeights holds where dropout acts: on the weights, after the softmax.
func TestAttentionDropsWeights(t *testing.T) {
	const length, d = 3, 2
	x := random(4, length*d)
	got := run(t, model.NewStore(), func(_ *model.Scope, x *Node) *Node {
		return nn.Attention(x, x, x, nil, func(weights *Node) *Node { return MulScalar(weights, 2) })
	}, tensors.FromFlatDataAndDimensions(x, 1, 1, length, d))
	want := attention(x, x, x, 1, length, length, 1, d, func(int, int) bool { return true })
	for i := range want {
		want[i] *= 2
	}
	golden.Compare(t, "doubled weights", golden.Values(t, got), want, tolerance)
}

// TestMasks reads the masks themselves.
func TestMasks(t *testing.T) {
	const length = 4
	got, err := CallOnceN(golden.Engine(t), func(last *Node) []*Node {
		return []*Node{nn.CausalMask(last.Graph(), length), nn.UpTo(last, length)}
	}, int32(2))
	if err != nil {
		t.Fatal(err)
	}
	causal, upTo := masked(t, got[0], 1, 1, length, length), masked(t, got[1], 1, 1, 1, length)
	for query := range length {
		for key := range length {
			if causal[query*length+key] != (key <= query) {
				t.Errorf("CausalMask: query %d may look at key %d: %t", query, key, causal[query*length+key])
			}
		}
	}
	for key := range length {
		if upTo[key] != (key <= 2) {
			t.Errorf("UpTo(2): key %d is allowed: %t", key, upTo[key])
		}
	}
}

func masked(t *testing.T, mask *tensors.Tensor, dims ...int) []bool {
	t.Helper()
	if !slices.Equal(mask.Shape().Dimensions, dims) {
		t.Fatalf("shape is %v, want %v", mask.Shape().Dimensions, dims)
	}
	values, err := tensors.CopyFlatData[bool](mask)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// TestDropout holds that values are dropped at the rate while training, the rest scaled
// so that the mean stays, anew at each run; and that otherwise nothing is done at all.
func TestDropout(t *testing.T) {
	const n, rate = 10_000, 0.2
	ones := make([]float32, n)
	for i := range ones {
		ones[i] = 1
	}
	store := model.NewStore()
	if err := store.SetRNGStateFromSeed(1); err != nil {
		t.Fatal(err)
	}
	train := compile(t, store, func(scope *model.Scope, x *Node) *Node {
		scope.Store().SetTraining(x.Graph(), true)
		return nn.Dropout(scope, x.Graph(), rate)(x)
	})
	values := golden.Values(t, call(t, train, ones))
	kept := 0
	for _, v := range values {
		if v == 0 {
			continue
		}
		kept++
		if math.Abs(float64(v)-1/(1-rate)) > tolerance {
			t.Fatalf("a value that is kept becomes %g, want %g", v, 1/(1-rate))
		}
	}
	// Five standard deviations of a binomial.
	if bound := 5 * math.Sqrt(n*rate*(1-rate)); math.Abs(float64(kept)-n*(1-rate)) > bound {
		t.Errorf("%d of %d values are kept at rate %g", kept, n, rate)
	}
	if slices.Equal(values, golden.Values(t, call(t, train, ones))) {
		t.Error("two runs drop the same values")
	}
}

func TestDropoutWithoutEffect(t *testing.T) {
	for _, test := range []struct {
		training bool
		rate     float64
		want     bool
	}{{true, 0.1, true}, {true, 0, false}, {false, 0.1, false}, {false, 0, false}} {
		run(t, model.NewStore(), func(scope *model.Scope, x *Node) *Node {
			scope.Store().SetTraining(x.Graph(), test.training)
			if got := nn.Dropout(scope, x.Graph(), test.rate) != nil; got != test.want {
				t.Errorf("rate %g, training %t: something is dropped: %t", test.rate, test.training, got)
			}
			return x
		}, float32(1))
	}
}
