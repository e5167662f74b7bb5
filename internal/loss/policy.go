package loss

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Reinforce is the loss whose gradient is REINFORCE's (Williams 1992) for texts that the
// model itself wrote, with the log-probability [B] and the advantage [B] of each:
// −mean advantage·logProb.
func Reinforce(logProb, advantage *Node) *Node { return Neg(ReduceAllMean(Mul(advantage, logProb))) }

// TextLogProb is the mean over each text's tokens other than [Padding] of
// log p(text_bt): [B], for logits [B, T, V] and texts [B, T]; 0 for a text without any.
// In [Reinforce], as in CgT-GAN's code, the mean keeps long texts from outweighing short
// ones.
func TextLogProb(logits, texts *Node) *Node {
	counted := ConvertDType(NotEqual(texts, ConstAs(texts, Padding)), logits.DType())
	total, count := ReduceSum(Mul(CrossEntropy(logits, texts), counted), -1), ReduceSum(counted, -1)
	return Neg(Div(total, Max(count, ConstAs(count, 1))))
}
