package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/nn"
)

// network mixes matrix products of several sizes with every composed op.
func network(x, w *graph.Node) *graph.Node {
	h := graph.Sigmoid(graph.MatMul(x, w))
	h = graph.Add(h, graph.Tanh(graph.MatMul(h, w)))
	h = graph.Add(h, graph.Erf(graph.MatMul(h, w)))
	h = graph.Add(graph.Softmax(h, -1), graph.Exp(graph.Neg(graph.Square(h))))
	h = activation.Apply(activation.TypeGeluApprox, graph.MatMul(h, w))
	return activation.Apply(activation.TypeGelu, nn.Dense(h, w, nil, compute.DenseLayoutInputOutputs, activation.TypeSilu))
}

func inputs(rows, width int) (x, w *tensors.Tensor) {
	rng := rand.New(rand.NewPCG(1, 2))
	normal := func(n, m int, scale float64) *tensors.Tensor {
		flat := make([]float32, n*m)
		for i := range flat {
			flat[i] = float32(rng.NormFloat64() * scale)
		}
		return tensors.FromFlatDataAndDimensions(flat, n, m)
	}
	return normal(rows, width, 1), normal(width, width, 1/math.Sqrt(float64(width)))
}

// run evaluates f on copies of the arguments, because a tensor belongs to the
// first backend that it is used on.
func run[F graph.ExecGraphFn](t *testing.T, b compute.Backend, f F, args ...*tensors.Tensor) [][]float32 {
	t.Helper()
	exec := graph.MustNewExec(b, f)
	var copies []any
	for _, a := range args {
		c, err := a.LocalClone()
		if err != nil {
			t.Fatal(err)
		}
		copies = append(copies, c)
	}
	var flat [][]float32
	for _, out := range call(t, exec, copies...) {
		flat = append(flat, tensors.MustCopyFlatData[float32](out))
	}
	return flat
}

// difference is max|a−b| / max|b|.
func difference(a, b []float32) float64 {
	var d, m float64
	for i := range b {
		d = max(d, math.Abs(float64(a[i])-float64(b[i])))
		m = max(m, math.Abs(float64(b[i])))
	}
	return d / m
}

func TestNetworkAndGradientsEqualPlain(t *testing.T) {
	step := func(x, w *graph.Node) []*graph.Node {
		y := network(x, w)
		return append(graph.Gradient(graph.ReduceAllMean(graph.Square(y)), x, w), y)
	}
	for _, rows := range []int{1, 5, 300} {
		x, w := inputs(rows, 128)
		got, want := run(t, open(t), step, x, w), run(t, openPlain(t), step, x, w)
		for i, name := range []string{"gradient of x", "gradient of w", "output"} {
			if d := difference(got[i], want[i]); !(d <= 1e-6) {
				t.Errorf("%d rows: %s differs by %g", rows, name, d)
			}
		}
	}
}

// TestOpGradientsEqualPlain takes the ops one by one, where nothing averages out.
func TestOpGradientsEqualPlain(t *testing.T) {
	x, _ := inputs(100, 100)
	for _, test := range elementwise {
		grad := func(x *graph.Node) *graph.Node {
			return graph.Gradient(graph.ReduceAllSum(test.op(x)), x)[0]
		}
		if d := difference(run(t, open(t), grad, x)[0], run(t, openPlain(t), grad, x)[0]); !(d <= 1e-6) {
			t.Errorf("gradient of %s differs by %g", test.name, d)
		}
	}
}

// TestFunctions covers the ops that take functions.
func TestFunctions(t *testing.T) {
	calls := func(x *graph.Node) *graph.Node {
		g := x.Graph()
		sigmoid := graph.NewFunction(g, "sigmoid", func(g *graph.Graph) []*graph.Node {
			return []*graph.Node{graph.Sigmoid(graph.Parameter(g, "x", x.Shape()))}
		})
		y := sigmoid.Call(x)[0]
		cond := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
			s := graph.Parameter(g, "s", y.Shape())
			return []*graph.Node{graph.LessThan(graph.ReduceAllMax(s), graph.Const(g, float32(3)))}
		})
		body := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
			return []*graph.Node{graph.Exp(graph.Parameter(g, "s", y.Shape()))}
		})
		y = graph.While(cond, body, y)[0]
		yes := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node { return []*graph.Node{graph.Tanh(y)} })
		no := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node { return []*graph.Node{y} })
		return graph.Sort(graph.If(graph.GreaterThan(graph.ReduceAllMax(y), graph.ScalarZero(g, y.DType())), yes, no)[0], -1, true)
	}
	x, _ := inputs(3, 7)
	if d := difference(run(t, open(t), calls, x)[0], run(t, openPlain(t), calls, x)[0]); !(d <= 1e-6) {
		t.Errorf("differs by %g", d)
	}
}

// TestConcurrent runs one compiled graph from many goroutines.
func TestConcurrent(t *testing.T) {
	b := open(t)
	x, w := inputs(64, 96)
	want := run(t, b, network, x, w)[0]
	exec := graph.MustNewExec(b, network)
	flatX, flatW := tensors.MustCopyFlatData[float32](x), tensors.MustCopyFlatData[float32](w)
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for worker := range cap(errs) {
		wg.Go(func() {
			for range 10 {
				out, err := exec.Call(tensors.FromFlatDataAndDimensions(flatX, 64, 96), tensors.FromFlatDataAndDimensions(flatW, 96, 96))
				if err == nil && !slices.Equal(tensors.MustCopyFlatData[float32](out[0]), want) {
					err = fmt.Errorf("worker %d: result differs from a run alone", worker)
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}
