package method

// RoBERTa (Liu et al. 2019, arXiv:1907.11692) learns to fill in what was masked of a
// sentence y. Each time it is read, a set M of its tokens is drawn anew:
//
//	(1)  ỹ_t = <mask>, a random token or y_t, 8 : 1 : 1, for t ∈ M;  ỹ_t = y_t else
//	(2)  L = −mean_{t ∈ M} log p_θ(y_t | ỹ)
//
// As in the authors' code, |M| is 0.15 of the sentence's tokens, rounded up or down at
// random so that this is its mean. The markers around a sentence are never masked.

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/roberta"
	"github.com/cutline-go/cutline/internal/train"
)

// Masking is how (1) spoils a sentence.
type Masking struct {
	Rate   float64 `json:"rate"`   // share of the tokens to be told, 0 to 1; paper: 0.15
	Mask   float64 `json:"mask"`   // share of these that <mask> replaces; paper: 0.8
	Random float64 `json:"random"` // share of these that a random token replaces; paper: 0.1
}

// PaperMasking is RoBERTa's, which it has from BERT.
func PaperMasking() Masking { return Masking{Rate: 0.15, Mask: 0.8, Random: 0.1} }

// Validate reports the first field without a meaning.
func (m Masking) Validate() error {
	switch {
	case !(m.Rate > 0 && m.Rate <= 1):
		return fmt.Errorf("masking: rate is %g, want more than 0 and at most 1", m.Rate)
	case !(m.Mask >= 0 && m.Random >= 0 && m.Mask+m.Random <= 1):
		return fmt.Errorf("masking: mask is %g and random %g, want shares of at most 1 together", m.Mask, m.Random)
	}
	return nil
}

// Markers are RoBERTa's ids that are no text. All ids up to Last are markers, and so is
// Mask.
type Markers struct {
	Start, End, Mask int
	Last             int // of those that begin the vocabulary; RoBERTa: <unk>, 3
}

// RoBERTaConfig is what the training can be told.
type RoBERTaConfig struct {
	Masking   Masking         `json:"masking"`
	Optimizer train.Optimizer `json:"optimizer"`
	MaxTokens int             `json:"max_tokens"` // of a sentence, <s> and </s> included; longer ones are cut. Paper: 512
}

// RoBERTa learns a text encoder from sentences.
type RoBERTa struct {
	config  RoBERTaConfig
	network roberta.Config
	markers Markers
	learner *train.Learner[spoiled]
}

// spoiled is a batch of sentences after (1).
type spoiled struct {
	ids     [][]int32   // [B, T], ỹ between the markers, padded
	places  [][]int32   // [B, S], of what is to be told
	words   [][]int32   // [B, S], what stood there
	counted [][]float32 // [B, S], 1 where there is something to be told
}

// NewRoBERTa prepares to train network, whose variables live in store. Its pooler is not
// trained: no objective of RoBERTa's asks for it.
func NewRoBERTa(engine compute.Backend, store *model.Store, network roberta.Config, c RoBERTaConfig, markers Markers) (*RoBERTa, error) {
	if err := c.Masking.Validate(); err != nil {
		return nil, err
	}
	if c.MaxTokens < 3 || c.MaxTokens > network.MaxTokens() {
		return nil, fmt.Errorf("max_tokens is %d, want 3 to %d, the network's positions", c.MaxTokens, network.MaxTokens())
	}
	m := &RoBERTa{config: c, network: network, markers: markers}
	scopes := []string{roberta.Scope + "/embeddings", roberta.Scope + "/encoder", roberta.LMHeadScope}
	var err error
	m.learner, err = train.NewLearner(engine, store, c.Optimizer, scopes, m.loss, m.inputs)
	return m, err
}

// loss is (2), and beside it the share of the words that are told right.
func (m *RoBERTa) loss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	ids, places, words, counted := inputs[0], inputs[1], inputs[2], inputs[3]
	row := MulScalar(Iota(ids.Graph(), places.Shape(), 0), ids.Shape().Dim(1))
	hidden := Reshape(m.network.Hidden(root, ids), -1, m.network.Width)
	told := Gather(hidden, Reshape(Add(row, places), -1, 1))
	logits := m.network.Predictions(root, told)
	words, counted = Reshape(words, -1), Reshape(counted, -1)
	right := ConvertDType(Equal(ArgMax(logits, -1, words.DType()), words), counted.DType())
	return loss.MeanOver(loss.CrossEntropy(logits, words), counted),
		[]train.Part{{Name: "accuracy", Node: loss.MeanOver(right, counted)}}
}

func (m *RoBERTa) inputs(b spoiled) ([]*tensors.Tensor, error) {
	ids, err := matrix(b.ids)
	if err != nil {
		return nil, err
	}
	rest, err := matrices(b.places, b.words, b.counted)
	return append([]*tensors.Tensor{ids}, rest...), err
}

// Step runs one update. What is masked is a function of the seed and the update's number.
func (m *RoBERTa) Step(ctx context.Context, update int, batch Texts) (train.Losses, error) {
	return m.learner.Step(ctx, update, m.spoil(batch, uint64(update)))
}

// Loss is the loss of a batch, of which the same tokens are masked each time.
func (m *RoBERTa) Loss(batch Texts) (train.Losses, error) {
	return m.learner.Loss(m.spoil(batch, math.MaxUint64))
}

// Need estimates what updates on batches like this one take.
func (m *RoBERTa) Need(batch Texts) (train.Need, error) { return m.learner.Need(m.spoil(batch, 0)) }

// spoil is (1) for a batch. Lengths come in steps, and the room for what is to be told
// is what the longest sentence can ask for, so that graphs come in a few shapes.
func (m *RoBERTa) spoil(batch Texts, stream uint64) spoiled {
	rng := rand.New(rand.NewPCG(uint64(m.config.Optimizer.Seed), stream))
	length := min(steps(longestOf(batch.Sentences)+2, lengthStep), m.config.MaxTokens)
	room := int(m.config.Masking.Rate*float64(length-2)) + 1
	var out spoiled
	for _, sentence := range batch.Sentences {
		sentence = sentence[:min(len(sentence), length-2)]
		ids, places, words, counted := make([]int32, length), make([]int32, room), make([]int32, room), make([]float32, room)
		for t := range ids {
			ids[t] = int32(m.network.PadToken)
		}
		ids[0], ids[len(sentence)+1] = int32(m.markers.Start), int32(m.markers.End)
		for t, id := range sentence {
			ids[t+1] = int32(id)
		}
		masked := min(int(m.config.Masking.Rate*float64(len(sentence))+rng.Float64()), room, len(sentence))
		for slot, t := range rng.Perm(len(sentence))[:masked] {
			places[slot], words[slot], counted[slot] = int32(t+1), int32(sentence[t]), 1
			ids[t+1] = m.replaced(rng, ids[t+1])
		}
		out.ids, out.places = append(out.ids, ids), append(out.places, places)
		out.words, out.counted = append(out.words, words), append(out.counted, counted)
	}
	return out
}

// replaced draws what a token is replaced by.
func (m *RoBERTa) replaced(rng *rand.Rand, token int32) int32 {
	switch u := rng.Float64(); {
	case u < m.config.Masking.Mask:
		return int32(m.markers.Mask)
	case u < m.config.Masking.Mask+m.config.Masking.Random:
		// The text's tokens stand between the first markers and <mask>, the last id.
		return int32(m.markers.Last + 1 + rng.IntN(m.markers.Mask-m.markers.Last-1))
	}
	return token
}
