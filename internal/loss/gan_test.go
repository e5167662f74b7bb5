package loss_test

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/loss"
)

// TestGAN holds the losses of a CycleGAN against their formulas.
func TestGAN(t *testing.T) {
	const rows, width = 5, 4
	x, y := random(1, rows*width), random(2, rows*width)
	input := func(values []float32) *tensors.Tensor {
		return tensors.FromFlatDataAndDimensions(values, rows, width)
	}
	result := MustExecOnceN(golden.Engine(t), func(x, y *Node) []*Node {
		return []*Node{loss.LeastSquares(x, 1), loss.L1(x, y), loss.Spread(x)}
	}, input(x), input(y))
	squares, distance, spread, mean := 0.0, 0.0, 0.0, make([]float64, width)
	for i := range x {
		squares += math.Pow(float64(x[i])-1, 2) / (rows * width)
		distance += math.Abs(float64(x[i])-float64(y[i])) / (rows * width)
		mean[i%width] += float64(x[i]) / rows
	}
	for i := range x {
		spread += math.Pow(float64(x[i])-mean[i%width], 2) / (rows * width)
	}
	for i, want := range []float64{squares, distance, spread} {
		golden.Compare(t, []string{"LeastSquares", "L1", "Spread"}[i], golden.Values(t, result[i]), []float32{float32(want)}, tolerance)
	}
}
