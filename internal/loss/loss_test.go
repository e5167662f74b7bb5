package loss_test

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/loss"
)

// tolerance is what float32 costs against the float64 of the naive formulas, relative
// to the largest value; gradients are differences of two, and lose a digit more.
const (
	tolerance         = 1e-6
	gradientTolerance = 1e-5
)

// random draws n logits of a size that a network gives.
func random(seed uint64, n int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 0))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(3 * rng.NormFloat64())
	}
	return out
}

func wide(values []float32) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = float64(v)
	}
	return out
}

// crossEntropy is log Σ exp(row) − row[target], as the formula reads.
func crossEntropy(row []float64, target int32) float64 {
	sum := 0.0
	for _, v := range row {
		sum += math.Exp(v)
	}
	return math.Log(sum) - row[target]
}

// sequence is the mean of the cross-entropies over the targets other than 0.
func sequence(logits []float64, targets []int32, vocabulary int) float64 {
	total, count := 0.0, 0.0
	for i, target := range targets {
		if target != 0 {
			total += crossEntropy(logits[i*vocabulary:(i+1)*vocabulary], target)
			count++
		}
	}
	return total / max(count, 1)
}

// contrastive is CLIP's loss over n photos and n texts.
func contrastive(logits []float64, n int) float64 {
	total := 0.0
	for i := range n {
		column := make([]float64, n)
		for j := range n {
			column[j] = logits[j*n+i]
		}
		total += crossEntropy(logits[i*n:(i+1)*n], int32(i)) + crossEntropy(column, int32(i))
	}
	return total / float64(2*n)
}

// differences is the gradient of f by central differences.
func differences(f func([]float64) float64, at []float64) []float32 {
	const step = 1e-5
	out := make([]float32, len(at))
	for i, v := range at {
		at[i] = v + step
		above := f(at)
		at[i] = v - step
		out[i] = float32((above - f(at)) / (2 * step))
		at[i] = v
	}
	return out
}

// run returns the value of a loss and its gradient by the logits, its first input.
func run(t *testing.T, objective func(inputs []*Node) *Node, inputs ...any) (value float32, gradient []float32) {
	t.Helper()
	out, err := CallOnceN(golden.Engine(t), func(inputs []*Node) []*Node {
		l := objective(inputs)
		return []*Node{l, Gradient(l, inputs[0])[0]}
	}, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	return golden.Values(t, out[0])[0], golden.Values(t, out[1])
}

func sequenceOf(inputs []*Node) *Node { return loss.Sequence(inputs[0], inputs[1]) }

func contrastiveOf(inputs []*Node) *Node { return loss.Contrastive(inputs[0]) }

// TestMixedContrastive holds that a share of each photo's loss is that of the text opposite.
func TestMixedContrastive(t *testing.T) {
	const n, share = 5, 0.3
	logits := random(7, n*n)
	value, gradient := run(t, func(inputs []*Node) *Node { return loss.MixedContrastive(inputs[0], inputs[1]) },
		tensors.FromFlatDataAndDimensions(logits, n, n), float32(share))
	naive := func(at []float64) float64 {
		mirrored := make([]float64, n*n)
		for i := range at {
			mirrored[i] = at[i/n*n+n-1-i%n]
		}
		return (1-share)*contrastive(at, n) + share*contrastive(mirrored, n)
	}
	golden.Compare(t, "mixed", []float32{value}, []float32{float32(naive(wide(logits)))}, tolerance)
	golden.Compare(t, "mixed: gradient", gradient, differences(naive, wide(logits)), gradientTolerance)
}

func TestSharedCrossEntropy(t *testing.T) {
	const rows, width = 3, 4
	logits, shares := random(8, rows*width), []float32{0, 1, 0, 0, 0.25, 0.5, 0, 0.25, 0.1, 0.2, 0.3, 0.4}
	value, gradient := run(t, func(inputs []*Node) *Node { return loss.SharedCrossEntropy(inputs[0], inputs[1]) },
		tensors.FromFlatDataAndDimensions(logits, rows, width), tensors.FromFlatDataAndDimensions(shares, rows, width))
	naive := func(at []float64) float64 {
		sum := 0.0
		for i, share := range shares {
			row := at[i/width*width : (i/width+1)*width]
			sum += float64(share) * crossEntropy(row, int32(i%width)) / rows
		}
		return sum
	}
	golden.Compare(t, "shared", []float32{value}, []float32{float32(naive(wide(logits)))}, tolerance)
	golden.Compare(t, "shared: gradient", gradient, differences(naive, wide(logits)), gradientTolerance)
}

func TestSequence(t *testing.T) {
	const batch, length, vocabulary = 3, 4, 7
	for _, test := range []struct {
		name    string
		targets []int32
	}{
		{"no padding", []int32{1, 2, 3, 4, 5, 6, 1, 2, 6, 6, 1, 3}},
		{"padding", []int32{1, 2, 0, 0, 5, 0, 0, 0, 6, 4, 1, 0}},
		{"id 0 inside a caption", []int32{1, 0, 3, 0, 0, 6, 1, 2, 6, 0, 1, 3}},
		{"a caption of padding", []int32{0, 0, 0, 0, 5, 2, 0, 0, 0, 0, 0, 0}},
	} {
		logits := random(1, batch*length*vocabulary)
		value, gradient := run(t, sequenceOf,
			tensors.FromFlatDataAndDimensions(logits, batch, length, vocabulary),
			tensors.FromFlatDataAndDimensions(test.targets, batch, length))
		naive := func(at []float64) float64 { return sequence(at, test.targets, vocabulary) }
		golden.Compare(t, test.name, []float32{value}, []float32{float32(naive(wide(logits)))}, tolerance)
		golden.Compare(t, test.name+": gradient", gradient, differences(naive, wide(logits)), gradientTolerance)
	}
}

// TestSequenceOfPaddingAlone holds that a batch without a target teaches nothing, and
// does no harm: 0/0 would make every weight NaN.
func TestSequenceOfPaddingAlone(t *testing.T) {
	const batch, length, vocabulary = 2, 3, 5
	value, gradient := run(t, sequenceOf,
		tensors.FromFlatDataAndDimensions(random(2, batch*length*vocabulary), batch, length, vocabulary),
		tensors.FromFlatDataAndDimensions(make([]int32, batch*length), batch, length))
	if value != 0 {
		t.Errorf("the loss is %g, want 0", value)
	}
	for i, v := range gradient {
		if v != 0 {
			t.Fatalf("gradient[%d] is %g, want 0", i, v)
		}
	}
}

// TestSequenceOfManyTargets holds that a mean over a large batch keeps its digits.
func TestSequenceOfManyTargets(t *testing.T) {
	const batch, length, vocabulary = 512, 512, 3
	logits, targets := random(3, batch*length*vocabulary), make([]int32, batch*length)
	rng := rand.New(rand.NewPCG(4, 0))
	for i := range targets {
		targets[i] = rng.Int32N(vocabulary)
	}
	value, _ := run(t, sequenceOf,
		tensors.FromFlatDataAndDimensions(logits, batch, length, vocabulary),
		tensors.FromFlatDataAndDimensions(targets, batch, length))
	golden.Compare(t, "loss", []float32{value}, []float32{float32(sequence(wide(logits), targets, vocabulary))}, 10*tolerance)
}

// TestSmoothedSequence compares with the definition: the targets' share is spread over
// the vocabulary, padding counts for nothing.
func TestSmoothedSequence(t *testing.T) {
	const batch, length, vocabulary, share = 3, 4, 7, 0.1
	targets := []int32{1, 2, 0, 0, 5, 0, 0, 0, 6, 4, 1, 0}
	naive := func(logits []float64) float64 {
		total := (1 - share) * sequence(logits, targets, vocabulary)
		for v := range int32(vocabulary) {
			sum, count := 0.0, 0.0
			for i, target := range targets {
				if target != 0 {
					sum += crossEntropy(logits[i*vocabulary:(i+1)*vocabulary], v)
					count++
				}
			}
			total += share / vocabulary * sum / count
		}
		return total
	}
	logits := random(5, batch*length*vocabulary)
	value, gradient := run(t, func(inputs []*Node) *Node { return loss.SmoothedSequence(inputs[0], inputs[1], share) },
		tensors.FromFlatDataAndDimensions(logits, batch, length, vocabulary),
		tensors.FromFlatDataAndDimensions(targets, batch, length))
	golden.Compare(t, "loss", []float32{value}, []float32{float32(naive(wide(logits)))}, tolerance)
	golden.Compare(t, "gradient", gradient, differences(naive, wide(logits)), gradientTolerance)
}

func TestCrossEntropyOfHugeLogits(t *testing.T) {
	const huge = 1e30
	rows := []struct {
		logits [3]float32
		target int32
		want   float32
	}{
		{[3]float32{huge, 0, -huge}, 0, 0},
		{[3]float32{huge, 0, -huge}, 1, huge},
		{[3]float32{huge, 0, -huge}, 2, 2 * huge},
		{[3]float32{huge, huge, huge}, 2, float32(math.Log(3))},
		{[3]float32{-huge, -huge, -huge}, 0, float32(math.Log(3))},
		{[3]float32{1000, 1001, 1000}, 1, float32(math.Log(1 + 2/math.E))},
		{[3]float32{-1000, -1001, -1000}, 1, float32(math.Log(1 + 2*math.E))},
	}
	var logits [][]float32
	var targets []int32
	for _, row := range rows {
		logits, targets = append(logits, row.logits[:]), append(targets, row.target)
	}
	out, err := CallOnceN(golden.Engine(t), func(inputs []*Node) []*Node {
		losses := loss.CrossEntropy(inputs[0], inputs[1])
		return []*Node{losses, Gradient(ReduceAllSum(losses), inputs[0])[0]}
	}, logits, targets)
	if err != nil {
		t.Fatal(err)
	}
	values, gradient := golden.Values(t, out[0]), golden.Values(t, out[1])
	for i, row := range rows {
		golden.Compare(t, "cross-entropy", values[i:i+1], []float32{row.want}, tolerance)
		sum := float32(0)
		for _, v := range gradient[3*i : 3*i+3] {
			sum += v
			if !(v >= -1 && v <= 1) {
				t.Errorf("%v: the gradient is %v", row.logits, gradient[3*i:3*i+3])
			}
		}
		if math.Abs(float64(sum)) > tolerance {
			t.Errorf("%v: the gradient %v adds up to %g, want 0", row.logits, gradient[3*i:3*i+3], sum)
		}
	}
}

func TestContrastive(t *testing.T) {
	for _, n := range []int{1, 2, 6} {
		logits := random(uint64(5+n), n*n)
		value, gradient := run(t, contrastiveOf, tensors.FromFlatDataAndDimensions(logits, n, n))
		naive := func(at []float64) float64 { return contrastive(at, n) }
		golden.Compare(t, "loss", []float32{value}, []float32{float32(naive(wide(logits)))}, tolerance)
		golden.Compare(t, "gradient", gradient, differences(naive, wide(logits)), gradientTolerance)
	}
}

// TestBinaryCrossEntropy takes logits for which exp would overflow as well.
func TestBinaryCrossEntropy(t *testing.T) {
	logits, labels := []float32{-200, -3, 0, 0.5, 4, 200}, []float32{0, 1, 1, 0, 1, 0}
	want := 0.0
	for i, x := range wide(logits) {
		if labels[i] == 1 {
			x = -x
		}
		want += max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
	}
	exec := MustNewExec(golden.Engine(t), loss.BinaryCrossEntropy)
	got := golden.Values(t, exec.MustCall1(logits, labels))
	golden.Compare(t, "loss", got, []float32{float32(want / float64(len(logits)))}, tolerance)
}

// TestTokenContrast compares with the definition, padding apart.
func TestTokenContrast(t *testing.T) {
	const batch, length, width, margin = 2, 4, 3, 0.5
	counted := []float32{1, 1, 1, 1, 1, 1, 0, 0}
	naive := func(h []float64) float64 {
		at := func(b, i int) []float64 { return h[(b*length+i)*width : (b*length+i+1)*width] }
		total, pairs := 0.0, 0.0
		for b := range batch {
			for i := range length {
				for j := range length {
					if i == j || counted[b*length+i]*counted[b*length+j] == 0 {
						continue
					}
					x, y := at(b, i), at(b, j)
					var xy, xx, yy float64
					for k := range x {
						xy, xx, yy = xy+x[k]*y[k], xx+x[k]*x[k], yy+y[k]*y[k]
					}
					total += max(0, margin-1+xy/math.Sqrt(xx*yy))
					pairs++
				}
			}
		}
		return total / pairs
	}
	hidden := random(6, batch*length*width)
	value, gradient := run(t, func(inputs []*Node) *Node { return loss.TokenContrast(inputs[0], inputs[1], margin) },
		tensors.FromFlatDataAndDimensions(hidden, batch, length, width),
		tensors.FromFlatDataAndDimensions(counted, batch, length))
	golden.Compare(t, "loss", []float32{value}, []float32{float32(naive(wide(hidden)))}, tolerance)
	golden.Compare(t, "gradient", gradient, differences(naive, wide(hidden)), gradientTolerance)
}
