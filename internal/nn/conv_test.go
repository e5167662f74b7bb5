package nn_test

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/nn"
)

// TestConv2d holds convolutions against loops over float64.
func TestConv2d(t *testing.T) {
	const batch, height, width, channels, out = 2, 5, 7, 3, 4
	x := random(1, batch*height*width*channels)
	for _, test := range []struct{ kernel, stride int }{{1, 1}, {3, 1}, {3, 2}} {
		k, stride := test.kernel, test.stride
		store := model.NewStore()
		weight := give(t, store, "/weight", out, channels, k, k)
		var want []float32
		for row := 0; row < height; row += stride {
			for b := range batch {
				for column := 0; column < width; column += stride {
					for o := range out {
						sum := 0.0
						for c := range channels {
							for i := range k {
								for j := range k {
									y, z := row+i-k/2, column+j-k/2
									if y >= 0 && y < height && z >= 0 && z < width {
										sum += float64(weight[((o*channels+c)*k+i)*k+j]) * float64(x[((y*batch+b)*width+z)*channels+c])
									}
								}
							}
						}
						want = append(want, float32(sum))
					}
				}
			}
		}
		got := run(t, store, func(s *model.Scope, x *Node) *Node { return nn.Conv2d(s, x, out, k, stride) },
			tensors.FromFlatDataAndDimensions(x, height, batch, width, channels))
		golden.Compare(t, "Conv2d", golden.Values(t, got), want, tolerance)
	}
}

func TestAvgPool2dDropsTheRest(t *testing.T) {
	x := []float32{1, 2, 9, 3, 6, 9, 9, 9, 9} // 3 × 3 × 1
	got := run(t, model.NewStore(), func(_ *model.Scope, x *Node) *Node { return nn.AvgPool2d(x, 2) },
		tensors.FromFlatDataAndDimensions(x, 3, 1, 3, 1))
	golden.Compare(t, "AvgPool2d", golden.Values(t, got), []float32{3}, tolerance)
}

// TestBatchNorm2d holds that training normalises by the batch and moves the running
// statistics a tenth of the way, the variance unbiased; and that otherwise they are
// what is used, and stay.
func TestBatchNorm2d(t *testing.T) {
	const rows, channels = 12, 3
	x := random(1, rows*channels)
	store := model.NewStore()
	gain, bias := give(t, store, "/weight", channels), give(t, store, "/bias", channels)
	running, variances := give(t, store, "/running_mean", channels), []float32{0.5, 1, 2}
	if _, err := store.CreateVariable("/running_var", tensors.FromValue(variances)); err != nil {
		t.Fatal(err)
	}
	normalise := func(mean, variance []float64) []float32 {
		var out []float32
		for i, value := range x {
			c := i % channels
			out = append(out, float32((float64(value)-mean[c])/math.Sqrt(variance[c]+1e-5)*float64(gain[c])+float64(bias[c])))
		}
		return out
	}
	var mean, variance, runningMean, runningVariance []float64
	for c := range channels {
		m, v := 0.0, 0.0
		for i := c; i < len(x); i += channels {
			m += float64(x[i]) / rows
		}
		for i := c; i < len(x); i += channels {
			v += (float64(x[i]) - m) * (float64(x[i]) - m) / rows
		}
		mean, variance = append(mean, m), append(variance, v)
		runningMean = append(runningMean, 0.9*float64(running[c])+0.1*m)
		runningVariance = append(runningVariance, 0.9*float64(variances[c])+0.1*v*rows/(rows-1))
	}
	engine := golden.Engine(t)
	layer := func(training bool) func() *tensors.Tensor {
		exec, err := model.NewExec(engine, store, func(s *model.Scope, x *Node) *Node {
			s.Store().SetTraining(x.Graph(), training)
			return nn.BatchNorm2d(s, x, 1)
		})
		if err != nil {
			t.Fatal(err)
		}
		return func() *tensors.Tensor {
			return call(t, exec, tensors.FromFlatDataAndDimensions(x, 2, 3, 2, channels))
		}
	}
	golden.Compare(t, "training", golden.Values(t, layer(true)()), normalise(mean, variance), tolerance)
	infer := layer(false)
	for range 2 { // the second time, as nothing has moved
		golden.Compare(t, "inference", golden.Values(t, infer()), normalise(runningMean, runningVariance), tolerance)
	}
}
