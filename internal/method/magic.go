package method

// MAGIC (Su et al. 2022, arXiv:2205.02655) adapts a language model to captions y, alone
// and without embeddings, by SimCTG's two losses (Su et al. 2022, arXiv:2202.06417):
//
//	(1)  L_MLE = −mean_t log p_θ(y_t | y_<t)
//	(2)  L_CL = mean_{i≠j} max(0, ρ − 1 + cos(h_i, h_j))
//	(3)  L = L_MLE + L_CL
//
// and lets photos in when it writes: decode.SearchContrastive, guided by CLIP. A
// sequence is a start token, the caption, and the end token that stops the search;
// h_i are the hidden states that the tokens are predicted from, after the last
// LayerNorm. The means are over all tokens and pairs of the batch, those of id 0
// included, unlike in the ClipCap family.

import (
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/train"
)

// MAGICConfig is what the adaptation can be told.
type MAGICConfig struct {
	Margin    float64         `json:"margin"` // ρ, −1 to 1 and 0 at the least to mean anything; paper: 0.5
	Optimizer train.Optimizer `json:"optimizer"`
	MaxTokens int             `json:"max_tokens"` // of a caption, start and end apart; longer ones are cut. Paper: 64
}

// MAGIC adapts a language model to captions.
type MAGIC struct {
	*train.Learner[Texts]
	config     MAGICConfig
	network    gpt2.Config
	start, end int
}

// NewMAGIC prepares to adapt network, whose variables live in store where a captioner
// has its language model. start and end are the tokens around a caption.
func NewMAGIC(engine compute.Backend, store *model.Store, network gpt2.Config, c MAGICConfig, start, end int) (*MAGIC, error) {
	if !(c.Margin >= -1 && c.Margin <= 1) {
		return nil, fmt.Errorf("magic: margin is %g, want -1 to 1", c.Margin)
	}
	c.MaxTokens = min(c.MaxTokens, network.Positions-1)
	m := &MAGIC{config: c, network: network, start: start, end: end}
	var err error
	m.Learner, err = train.NewLearner(engine, store, c.Optimizer, []string{clipcap.GPTScope}, m.loss, m.inputs)
	return m, err
}

// loss is (3) for the tokens read and those to predict, [B, T] both, and which of them
// count [B, T].
func (m *MAGIC) loss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	read, targets, counted := inputs[0], inputs[1], inputs[2]
	scope := root.At(clipcap.GPTScope).At("transformer")
	hidden, _ := m.network.Hidden(scope, m.network.Embed(scope, read))
	mle := loss.MeanOver(loss.CrossEntropy(m.network.Logits(scope, hidden), targets), counted)
	contrast := loss.TokenContrast(hidden, counted, m.config.Margin)
	return Add(mle, contrast), []train.Part{{Name: "likelihood", Node: mle}, {Name: "contrast", Node: contrast}}
}

// inputs puts start before each caption and end behind it.
func (m *MAGIC) inputs(batch Texts) ([]*tensors.Tensor, error) {
	longest := 0
	for _, sentence := range batch.Sentences {
		longest = max(longest, min(len(sentence), m.config.MaxTokens)+1)
	}
	longest = min((longest+lengthStep-1)/lengthStep*lengthStep, m.config.MaxTokens+1)
	var read, targets [][]int32
	var counted [][]float32
	for _, sentence := range batch.Sentences {
		sentence = sentence[:min(len(sentence), m.config.MaxTokens)]
		r, t, c := make([]int32, longest), make([]int32, longest), make([]float32, longest)
		r[0], t[len(sentence)] = int32(m.start), int32(m.end)
		for i, id := range sentence {
			r[i+1], t[i] = int32(id), int32(id)
		}
		for i := range len(sentence) + 1 {
			c[i] = 1
		}
		read, targets, counted = append(read, r), append(targets, t), append(counted, c)
	}
	return matrices(read, targets, counted)
}

// matrices packs the three inputs.
func matrices(read, targets [][]int32, counted [][]float32) ([]*tensors.Tensor, error) {
	a, err := matrix(read)
	if err != nil {
		return nil, err
	}
	b, err := matrix(targets)
	if err != nil {
		return nil, err
	}
	c, err := matrix(counted)
	return []*tensors.Tensor{a, b, c}, err
}
