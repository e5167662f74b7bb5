package engine

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

func logistic(x float64) float64 {
	if x < 0 {
		return math.Exp(x) / (1 + math.Exp(x))
	}
	return 1 / (1 + math.Exp(-x))
}

// elementwise are the ops that the simd build composes; tiny is the absolute
// error allowed where results leave the normal float32 numbers.
var elementwise = []struct {
	name string
	op   func(*graph.Node) *graph.Node
	want func(float64) float64
	tiny float64
}{
	{"exp", graph.Exp, math.Exp, 1.7e-38},
	{"logistic", graph.Sigmoid, logistic, 1.7e-38},
	{"tanh", graph.Tanh, math.Tanh, 1e-45},
	{"erf", graph.Erf, math.Erf, 2e-45},
}

// sweep is every 997th float32 of both signs, ±0, subnormals, infinities and
// NaN, and a dense stretch where polynomials meet and functions saturate.
func sweep() []float32 {
	xs := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)),
		math.MaxFloat32, -math.MaxFloat32, float32(math.Copysign(0, -1)), 88.72283, 88.722840, -87.336545, -103.97}
	for bits := uint32(0); bits < 0x7f800000; bits += 997 {
		x := math.Float32frombits(bits)
		xs = append(xs, x, -x)
	}
	for i := -1_000_000; i < 1_000_000; i++ {
		xs = append(xs, float32(i)*1e-4)
	}
	return xs
}

func TestAccuracy(t *testing.T) {
	const relative = 3e-7
	xs := sweep()
	b := open(t)
	for _, test := range elementwise {
		t.Run(test.name, func(t *testing.T) {
			out := call(t, graph.MustNewExec(b, test.op), xs)
			got := tensors.MustCopyFlatData[float32](out[0])
			worst, at := 0.0, float32(0)
			for i, x := range xs {
				want := test.want(float64(x))
				if special(got[i], want) {
					continue
				}
				e := max(0, math.Abs(float64(got[i])-want)-test.tiny) / math.Abs(want)
				if !(e <= worst) {
					worst, at = e, x
				}
			}
			t.Logf("largest relative error %.3g at %g", worst, at)
			if !(worst <= relative) {
				t.Errorf("relative error %g at %g, want at most %g", worst, at, relative)
			}
		})
	}
}

// special reports whether got is right where no relative error exists: NaN,
// zero, and infinity for whatever float32 cannot hold.
func special(got float32, want float64) bool {
	switch {
	case math.IsNaN(want):
		return math.IsNaN(float64(got))
	case want == 0:
		return got == 0
	case math.IsInf(float64(float32(want)), 0):
		return float64(got) == math.Copysign(math.Inf(1), want)
	}
	return false
}

// TestBounded holds what networks lean on: 1±tanh and 1±erf never turn
// negative, and are 0 far out, whatever large x they are multiplied with.
func TestBounded(t *testing.T) {
	xs := sweep()
	b := open(t)
	for _, op := range []func(*graph.Node) *graph.Node{graph.Tanh, graph.Erf} {
		for i, y := range tensors.MustCopyFlatData[float32](call(t, graph.MustNewExec(b, op), xs)[0]) {
			if y > 1 || y < -1 {
				t.Fatalf("f(%g) = %g is beyond ±1", xs[i], y)
			}
			if x := xs[i]; (x > 10 && y != 1) || (x < -10 && y != -1) {
				t.Fatalf("f(%g) = %.9g, want ±1 exactly", x, y)
			}
		}
	}
}

// TestOtherTypes checks that float64 keeps float64's accuracy.
func TestOtherTypes(t *testing.T) {
	xs := []float64{-20, -1, -1e-9, 0, 1e-9, 0.3, 5}
	b := open(t)
	for _, test := range elementwise {
		for i, got := range tensors.MustCopyFlatData[float64](call(t, graph.MustNewExec(b, test.op), xs)[0]) {
			if want := test.want(xs[i]); math.Abs(got-want) > 1e-14*math.Abs(want) {
				t.Errorf("%s(%g) = %g, want %g", test.name, xs[i], got, want)
			}
		}
	}
}
