package engine

import (
	"fmt"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// engines opens the go engine as users get it and as GoMLX ships it.
func engines(b *testing.B) map[string]compute.Backend {
	return map[string]compute.Backend{"engine": open(b), "plain": openPlain(b)}
}

// BenchmarkElementwise runs each op on the hidden layer of a ViT-B/32's block
// (50 tokens, 3072 wide), after a matrix product too small to count.
func BenchmarkElementwise(b *testing.B) {
	const rows, width = 50, 3072
	for name, backend := range engines(b) {
		for _, test := range elementwise {
			b.Run(fmt.Sprintf("%s/%s", test.name, name), func(b *testing.B) {
				exec := graph.MustNewExec(backend, func(x, w *graph.Node) *graph.Node {
					dirty := graph.ReduceAllSum(graph.MatMul(w, w))
					return test.op(graph.Add(x, dirty))
				})
				w := make([]float32, 64*64)
				x := make([]float32, rows*width)
				for i := range x {
					x[i] = float32(i%997)/100 - 5
				}
				step(b, exec, tensors.FromFlatDataAndDimensions(x, rows, width), tensors.FromFlatDataAndDimensions(w, 64, 64))
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(rows*width), "ns/element")
			})
		}
	}
}

// BenchmarkFeedForward is the feed-forward half of four blocks 768 wide, for
// one token (a step of GPT-2's decoding, whose products run on the caller's
// thread) and for the 50 tokens of an image (whose products run on the pool).
func BenchmarkFeedForward(b *testing.B) {
	const width, hidden = 768, 3072
	ramp := func(n int, scale float32) []float32 {
		flat := make([]float32, n)
		for i := range flat {
			flat[i] = (float32(i%997)/997 - 0.5) * scale
		}
		return flat
	}
	for name, backend := range engines(b) {
		for _, tokens := range []int{1, 50} {
			b.Run(fmt.Sprintf("%d tokens/%s", tokens, name), func(b *testing.B) {
				exec := graph.MustNewExec(backend, func(x, in, out *graph.Node) *graph.Node {
					for range 4 {
						h := graph.MatMul(x, in)
						h = graph.Mul(h, graph.Sigmoid(graph.MulScalar(h, 1.702)))
						x = graph.Add(x, graph.MatMul(h, out))
					}
					return x
				})
				step(b, exec, tensors.FromFlatDataAndDimensions(ramp(tokens*width, 4), tokens, width),
					tensors.FromFlatDataAndDimensions(ramp(width*hidden, 0.1), width, hidden),
					tensors.FromFlatDataAndDimensions(ramp(hidden*width, 0.01), hidden, width))
			})
		}
	}
}

func step(b *testing.B, exec *graph.Exec, args ...any) {
	call(b, exec, args...)
	for b.Loop() {
		for _, out := range call(b, exec, args...) {
			out.MustFinalizeAll()
		}
	}
}
