package nn

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// PyTorch's defaults for BatchNorm2d.
const (
	batchNormEpsilon  = 1e-5
	batchNormMomentum = 0.1
)

// BatchNorm2d is torch.nn.BatchNorm2d over all but the last axis of x
// [..., C]. While training it normalises by the batch and moves its running
// statistics towards it; otherwise it normalises by the running statistics. gain
// is what its weight begins with.
func BatchNorm2d(scope *model.Scope, x *Node, gain float64) *Node {
	g, channels := x.Graph(), width(x)
	statistics := []string{"running_mean", "running_var"}
	for _, name := range statistics {
		if v := statistic(scope, name); v != nil {
			// ONNX Runtime's engine takes what is not trainable for a constant of the graph:
			// a network under training would be judged by the statistics of its first day.
			v.SetTrainable(true)
		}
	}
	weight := Param(scope, g, "weight", Constant(gain), channels)
	bias := Param(scope, g, "bias", Constant(0), channels)
	mean := Param(scope, g, "running_mean", Constant(0), channels)
	variance := Param(scope, g, "running_var", Constant(1), channels)
	for _, name := range statistics {
		statistic(scope, name).SetTrainable(false)
	}
	if scope.IsTraining(g) {
		mean, variance = batchStatistics(scope, x, mean, variance)
	}
	scale := Mul(weight, Reciprocal(Sqrt(AddScalar(variance, batchNormEpsilon))))
	return Add(Mul(x, expand(scale, x)), expand(Sub(bias, Mul(mean, scale)), x))
}

// batchStatistics returns mean and variance of the batch, and moves the running
// ones [C] towards them.
func batchStatistics(scope *model.Scope, x, runningMean, runningVariance *Node) (mean, variance *Node) {
	rows := Reshape(x, -1, width(x))
	count := rows.Shape().Dim(0)
	mean = ReduceMean(rows, 0)
	variance = ReduceMean(Square(Sub(rows, InsertAxes(mean, 0))), 0)
	// The running variance is the unbiased one, as in PyTorch.
	unbiased := MulScalar(variance, float64(count)/float64(max(1, count-1)))
	statistic(scope, "running_mean").SetNodeValue(towards(runningMean, mean))
	statistic(scope, "running_var").SetNodeValue(towards(runningVariance, unbiased))
	return mean, variance
}

func towards(running, batch *Node) *Node {
	batch = StopGradient(batch)
	return Add(MulScalar(running, 1-batchNormMomentum), MulScalar(batch, batchNormMomentum))
}

func statistic(scope *model.Scope, name string) *model.Variable {
	return scope.Store().GetVariable(model.JoinPath(scope.Scope(), name))
}

// expand gives v [C] the rank of x.
func expand(v, x *Node) *Node {
	return ExpandLeftToRank(v, x.Rank())
}
