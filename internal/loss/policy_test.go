package loss_test

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/loss"
)

// TestPolicy holds the loss against its formula, and its gradient by the logits against
// advantage/(B·length) · (softmax − onehot), which is 0 for padding.
func TestPolicy(t *testing.T) {
	const batch, length, vocabulary = 3, 4, 5
	texts := []int32{3, 1, 4, 0, 2, 2, 0, 0, 0, 0, 0, 0} // the last says nothing
	advantage := []float32{1.5, -0.5, 2}
	logits := random(3, batch*length*vocabulary)
	result := MustExecOnceN(golden.Engine(t), func(logits, texts, advantage *Node) []*Node {
		l := loss.Reinforce(loss.TextLogProb(logits, texts), advantage)
		return []*Node{l, Gradient(l, logits)[0]}
	},
		tensors.FromFlatDataAndDimensions(logits, batch, length, vocabulary),
		tensors.FromFlatDataAndDimensions(texts, batch, length), advantage)
	want, gradient := 0.0, make([]float64, len(logits))
	for b := range batch {
		count := 0.0
		for _, id := range texts[b*length : (b+1)*length] {
			if id != loss.Padding {
				count++
			}
		}
		for i := b * length; i < (b+1)*length; i++ {
			if texts[i] == loss.Padding {
				continue
			}
			row := wide(logits[i*vocabulary : (i+1)*vocabulary])
			weight := float64(advantage[b]) / (batch * count)
			want += weight * crossEntropy(row, texts[i])
			sum := math.Exp(crossEntropy(row, texts[i]) + row[texts[i]])
			for v, x := range row {
				gradient[i*vocabulary+v] = weight * math.Exp(x) / sum
			}
			gradient[i*vocabulary+int(texts[i])] -= weight
		}
	}
	if got := float64(tensors.ToScalar[float32](result[0])); math.Abs(got-want) > tolerance*math.Abs(want) {
		t.Errorf("the loss is %g, want %g", got, want)
	}
	for i, got := range tensors.MustCopyFlatData[float32](result[1]) {
		if math.Abs(float64(got)-gradient[i]) > gradientTolerance {
			t.Errorf("gradient %d is %g, want %g", i, got, gradient[i])
		}
	}
}
