package loss

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Policy is the loss whose gradient is REINFORCE's (Williams 1992) for texts [B, T] that
// the model itself wrote, with logits [B, T, V] and the advantage [B] of each:
//
//	−mean_b advantage_b · mean_t log p(text_bt)
//
// The mean over a text's own tokens, as in CgT-GAN's code, keeps long texts from
// outweighing short ones. Tokens of id [Padding] are not counted.
func Policy(logits, texts, advantage *Node) *Node {
	counted := ConvertDType(NotEqual(texts, ConstAs(texts, Padding)), logits.DType())
	total, count := ReduceSum(Mul(CrossEntropy(logits, texts), counted), -1), ReduceSum(counted, -1)
	return ReduceAllMean(Mul(advantage, Div(total, Max(count, ConstAs(count, 1)))))
}
