package method

import (
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/gpt2"
)

// drawn is N captions of L tokens that were drawn through the Gumbel-softmax.
type drawn struct {
	shares *Node // [N, L, V], what stands for each token
	ids    *Node // [N, L], the tokens that were drawn
	kept   *Node // [N, L], 1 up to the first stop token, itself included, else 0
}

// draw lets a captioner write captions of embeddings [N, E], each token by
//
//	y = softmax((logits + noise) / temperature),  drawn: argmax(logits + noise)
//
// for noise [N, L, V]; the next step reads y·wte. Straight through, y is the drawn
// token's one-hot vector, with the gradient of the above. temperature is a scalar; stop
// are the tokens that end a caption.
func draw(network clipcap.Config, root *model.Scope, embeddings, noise, temperature *Node, straight bool, stop []int) drawn {
	g, gpt := embeddings.Graph(), root.At(clipcap.GPTScope).At("transformer")
	length, vocabulary := noise.Shape().Dim(1), noise.Shape().Dim(2)
	prefix := network.Prefix(root, embeddings)
	rows, first := prefix.Shape().Dim(0), prefix.Shape().Dim(1)
	hidden, past := network.GPT.Last(gpt, prefix)
	past = withRoom(past, length-1)
	var shares, ids []*Node
	for t := range length {
		logits := network.GPT.Logits(gpt, Reshape(hidden, rows, network.GPT.Width))
		logits = Add(logits, Reshape(Slice(noise, AxisRange(), AxisElem(t)), rows, vocabulary))
		y, id := Softmax(Div(logits, temperature), -1), ArgMax(logits, -1, dtypes.Int32)
		if straight {
			y = Add(OneHot(id, vocabulary, y.DType()), Sub(y, StopGradient(y)))
		}
		shares, ids = append(shares, InsertAxes(y, 1)), append(ids, InsertAxes(id, 1))
		if t < length-1 {
			x := network.GPT.Mix(gpt, shares[t])
			hidden, past = network.GPT.Next(gpt, x, Const(g, int32(first+t)), past)
		}
	}
	d := drawn{shares: Concatenate(shares, 1), ids: Concatenate(ids, 1)}
	d.kept = untilStop(d.ids, stop)
	return d
}

// withRoom adds positions to a cache of keys and values.
func withRoom(past []gpt2.KV, positions int) []gpt2.KV {
	if positions == 0 {
		return past
	}
	out := make([]gpt2.KV, len(past))
	for i, kv := range past {
		shape := kv.Keys.Shape().Clone()
		shape.Dimensions[2] = positions
		room := Zeros(kv.Keys.Graph(), shape)
		out[i] = gpt2.KV{Keys: Concatenate([]*Node{kv.Keys, room}, 2), Values: Concatenate([]*Node{kv.Values, room}, 2)}
	}
	return out
}

// untilStop is 1 for ids [N, L] up to the first of stop, itself included, and 0 behind.
func untilStop(ids *Node, stop []int) *Node {
	stops := ZerosLike(ConvertDType(ids, dtypes.Float32))
	for _, id := range stop {
		stops = Add(stops, ConvertDType(Equal(ids, ConstAs(ids, id)), dtypes.Float32))
	}
	// How many stops stand before each: a product with the ones above the diagonal.
	g, length := ids.Graph(), ids.Shape().Dim(1)
	rows := Iota(g, shapes.Make(dtypes.Int32, length, length), 0)
	columns := Iota(g, shapes.Make(dtypes.Int32, length, length), 1)
	before := Einsum("nl,lm->nm", stops, ConvertDType(LessThan(rows, columns), dtypes.Float32))
	return ConvertDType(LessThan(before, ConstAs(before, 0.5)), dtypes.Float32)
}

// length is the mean number of tokens that are kept, a scalar.
func (d drawn) length() *Node { return ReduceAllMean(ReduceSum(d.kept, -1)) }

// distinct is the share of the captions that differ from all others, each set of equal
// ones counted as one: from 1/N, where all are the same, to 1.
func (d drawn) distinct() *Node {
	ids := Mul(OnePlus(ConvertDType(d.ids, dtypes.Float32)), d.kept)
	off := ReduceMax(Abs(Sub(InsertAxes(ids, 0), InsertAxes(ids, 1))), -1) // [N, N]
	same := ReduceSum(ConvertDType(LessThan(off, ConstAs(off, 0.5)), dtypes.Float32), -1)
	return ReduceAllMean(Reciprocal(same))
}

// gumbel draws n values −log(−log u), u uniform.
func gumbel(rng *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(-math.Log(exponential(rng)))
	}
	return out
}

// exponential draws −log u. One draw of 2³² is 0, which the noise of a few hundred
// updates comes upon, and its logarithm is no number to go on with: it is drawn again.
func exponential(rng *rand.Rand) float64 {
	for {
		if x := rng.ExpFloat64(); x > 0 {
			return x
		}
	}
}
