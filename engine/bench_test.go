package engine

import (
	"fmt"
	"math"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/nn"
)

// engines opens this engine and GoMLX's Go engine, to compare with.
func engines(b *testing.B) map[string]compute.Backend {
	return map[string]compute.Backend{"cutline": open(b, FromEnvironment()), "go": reference(b)}
}

// BenchmarkStack is twelve blocks 768 wide, as in ViT-B/32, on 50 tokens.
func BenchmarkStack(b *testing.B) {
	const width, layers = 768, 12
	for name, backend := range engines(b) {
		for _, batch := range []int{1, 8} {
			b.Run(fmt.Sprintf("batch %d/%s", batch, name), func(b *testing.B) {
				args := []any{normal(1, batch, 50, width)}
				for range layers {
					args = append(args, normal(2, 3*width, width), normal(3, width, width),
						normal(4, width, 4*width), normal(5, 4*width, width), normal(6, width))
				}
				exec := MustNewExec(backend, func(args []*Node) []*Node {
					x := args[0]
					for i := 1; i < len(args); i += 5 {
						x = layer(append([]*Node{x}, args[i:i+5]...))
					}
					return []*Node{x}
				})
				measure(b, exec, args)
			})
		}
	}
}

// layer is a pre-norm transformer block with QuickGELU, 12 heads.
func layer(args []*Node) *Node {
	x, qkv, out, up, down, gain := args[0], args[1], args[2], args[3], args[4], args[5]
	dims := x.Shape().Dimensions
	h := nn.LayerNorm(x, []int{-1}, 1e-5, gain, gain, nil)
	parts := Split(nn.Dense(h, qkv, nil, compute.DenseLayoutOutputsInput), -1, 3)
	for i := range parts {
		parts[i] = Reshape(parts[i], dims[0], dims[1], 12, dims[2]/12)
	}
	scores := MulScalar(Einsum("bqhd,bkhd->bhqk", parts[0], parts[1]), 1/math.Sqrt(float64(dims[2]/12)))
	mixed := Reshape(Einsum("bhqk,bkhd->bqhd", Softmax(scores, -1), parts[2]), dims...)
	x = Add(x, nn.Dense(mixed, out, gain, compute.DenseLayoutOutputsInput))
	h = nn.LayerNorm(x, []int{-1}, 1e-5, gain, gain, nil)
	h = nn.Dense(h, up, nil, compute.DenseLayoutInputOutputs)
	h = Mul(h, Sigmoid(MulScalar(h, 1.702)))
	return Add(x, nn.Dense(h, down, gain, compute.DenseLayoutInputOutputs))
}

// BenchmarkProduct multiplies with a matrix 768×3072 that is a parameter.
func BenchmarkProduct(b *testing.B) {
	for name, backend := range engines(b) {
		for _, rows := range []int{1, 16, 50, 400, 2048} {
			b.Run(fmt.Sprintf("%d/%s", rows, name), func(b *testing.B) {
				exec := MustNewExec(backend, func(args []*Node) []*Node {
					return []*Node{nn.Dense(args[0], args[1], nil, compute.DenseLayoutInputOutputs)}
				})
				measure(b, exec, []any{normal(1, rows, 768), normal(2, 768, 3072)})
				b.ReportMetric(2*float64(rows)*768*3072*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
			})
		}
	}
}

// BenchmarkCall is a graph that has next to nothing to do.
func BenchmarkCall(b *testing.B) {
	for name, backend := range engines(b) {
		b.Run(name, func(b *testing.B) {
			exec := MustNewExec(backend, func(args []*Node) []*Node { return []*Node{OnePlus(args[0])} })
			measure(b, exec, []any{tensors.FromShape(shapes.Make(dtypes.Float32, 4))})
		})
	}
}

func measure(b *testing.B, exec *Exec, args []any) {
	run := func() {
		out, err := exec.Call(args...)
		if err != nil {
			b.Fatal(err)
		}
		for _, o := range out {
			o.MustFinalizeAll()
		}
	}
	run()
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
}
