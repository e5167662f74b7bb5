// Package loss holds the objectives of the methods as functions of nodes.
package loss

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Padding is the target id that no loss of the ClipCap family counts. Real tokens
// of that id (GPT-2's "!") are therefore never trained, as in the original code.
const Padding = 0

// Sequence is the cross-entropy of ClipCap's train.py: the mean over all targets
// [B, T] other than [Padding] of −log softmax(logits)[target], logits [B, T, V].
func Sequence(logits, targets *Node) *Node { return SmoothedSequence(logits, targets, 0) }

// SmoothedSequence is [Sequence] against targets that a share of the probability was
// taken from and spread over the whole vocabulary, as torch's label_smoothing does:
// (1−share)·(−log p[target]) + share·mean_v(−log p[v]).
func SmoothedSequence(logits, targets *Node, share float64) *Node {
	losses := CrossEntropy(logits, targets)
	if share > 0 {
		// Both terms have the same log-sum of exponentials; they differ in the logits.
		pick := OneHot(targets, logits.Shape().Dim(-1), logits.DType())
		apart := Sub(ReduceSum(Mul(logits, pick), -1), ReduceMean(logits, -1))
		losses = Add(losses, MulScalar(apart, share))
	}
	return MeanOver(losses, ConvertDType(NotEqual(targets, ConstAs(targets, Padding)), losses.DType()))
}

// MeanOver is the mean of the values where counted is 1, and 0 where it is 1 nowhere;
// it is 0 elsewhere. Both are of one shape.
func MeanOver(values, counted *Node) *Node {
	total, count := rowSums(Mul(values, counted)), rowSums(counted)
	return Div(total, Max(count, ConstAs(count, 1)))
}

// TokenContrast is SimCTG's contrastive loss (Su et al. 2022), which keeps the hidden
// states of a text's tokens apart: the mean over all pairs i ≠ j of one text of
//
//	max(0, margin − 1 + cos(h_i, h_j))
//
// hidden is [B, T, D]; counted [B, T] is 1 for the tokens of a text, 0 for padding.
func TokenContrast(hidden, counted *Node, margin float64) *Node {
	length := hidden.Shape().Dim(1)
	norm := Sqrt(ReduceAndKeep(Square(hidden), ReduceSum, -1))
	h := Div(hidden, Max(norm, ConstAs(norm, 1e-12)))
	hinge := MaxScalar(AddScalar(Einsum("btd,bsd->bts", h, h), margin-1), 0)
	others := OneMinus(DiagonalWithValue(ScalarOne(h.Graph(), h.DType()), length))
	pairs := Mul(Mul(InsertAxes(counted, 2), InsertAxes(counted, 1)), InsertAxes(others, 0))
	return MeanOver(hinge, pairs)
}

// Contrastive is CLIP's symmetric loss over the scaled cosines [B, B] of a batch:
// the mean of the cross-entropies by row (image → text) and by column (text →
// image), with the diagonal as targets.
func Contrastive(logits *Node) *Node {
	diagonal := Iota(logits.Graph(), shapes.Make(dtypes.Int32, logits.Shape().Dim(0)), 0)
	return matched(logits, diagonal)
}

// MixedContrastive is [Contrastive] for photos a share of which was replaced by the photo
// opposite: photo i is 1−share of its own text i, and share of text B−1−i.
func MixedContrastive(logits, share *Node) *Node {
	position := Iota(logits.Graph(), shapes.Make(dtypes.Int32, logits.Shape().Dim(0)), 0)
	opposite := Sub(ConstAs(position, logits.Shape().Dim(0)-1), position)
	own, other := Contrastive(logits), matched(logits, opposite)
	return Add(own, Mul(share, Sub(other, own)))
}

// matched is the mean cross-entropy of rows against the columns that targets [B] name, and of
// columns against these rows; targets is its own inverse.
func matched(logits, targets *Node) *Node {
	image := ReduceAllMean(CrossEntropy(logits, targets))
	text := ReduceAllMean(CrossEntropy(Transpose(logits, 0, 1), targets))
	return MulScalar(Add(image, text), 0.5)
}

// SharedCrossEntropy is the mean over rows of −Σ_v shares_v · log softmax(logits)_v, both
// [B, V]. The shares of a row add up to 1, or are all 0: it then counts nothing.
func SharedCrossEntropy(logits, shares *Node) *Node {
	shifted := Sub(logits, StopGradient(ReduceAndKeep(logits, ReduceMax, -1)))
	logSum := Log(ReduceAndKeep(Exp(shifted), ReduceSum, -1))
	return ReduceAllMean(ReduceSum(Mul(Sub(logSum, shifted), shares), -1))
}

// CrossEntropy is −log softmax(logits)[target] for each target: logits [..., V],
// targets [...].
func CrossEntropy(logits, targets *Node) *Node {
	shift := StopGradient(ReduceAndKeep(logits, ReduceMax, -1))
	shifted := Sub(logits, shift)
	logSum := Log(ReduceSum(Exp(shifted), -1))
	return Sub(logSum, ReduceSum(Where(isTarget(targets, logits.Shape()), shifted, ZerosLike(shifted)), -1))
}

// isTarget is true at the targets [...] of a shape [..., V], which as a mask takes a quarter
// of the memory that one-hot rows of numbers take.
func isTarget(targets *Node, shape shapes.Shape) *Node {
	places := Iota(targets.Graph(), shapes.Make(targets.DType(), shape.Dimensions...), -1)
	return Equal(places, BroadcastToDims(InsertAxes(targets, -1), shape.Dimensions...))
}

// rowSums sums x in two steps. The go engine adds a whole tensor in one running
// float32 sum, which loses digits over a large one; rows first loses few.
func rowSums(x *Node) *Node { return ReduceAllSum(ReduceSum(x, -1)) }

// BinaryCrossEntropy is torch.nn.BCEWithLogitsLoss: the mean of
// −y·log σ(x) − (1−y)·log(1−σ(x)) over logits x and labels y of one shape [B].
func BinaryCrossEntropy(logits, labels *Node) *Node {
	// log(1+eˣ) = max(x, 0) + log(1+e^−|x|) does not overflow.
	softplus := Add(Max(logits, ZerosLike(logits)), Log1P(Exp(Neg(Abs(logits)))))
	return ReduceAllMean(Sub(softplus, Mul(logits, labels)))
}
