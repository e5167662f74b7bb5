package method

// A causal language model (Radford et al. 2019), trained on sentences y:
//
//	L = −Σᵢ Σⱼ log p_θ(yⱼⁱ | BOS, y₁ⁱ,…,yⱼ₋₁ⁱ)
//
// Each sentence stands alone behind the end-of-text token, which GPT-2 also begins
// with. The mean is over all tokens other than id 0, as everywhere in the family.

import (
	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/train"
)

// LanguageModel learns GPT-2 from text.
type LanguageModel struct {
	*train.Learner[Texts]
	engine    compute.Backend
	store     *model.Store
	writer    *model.Exec // see [LanguageModel.Write]; nil until asked for
	network   gpt2.Config
	begin     int // the id that stands before each sentence
	maxTokens int
}

// NewLanguageModel prepares to train network, whose variables live in store where a
// captioner has its language model. begin stands before every sentence; sentences
// are cut to maxTokens.
func NewLanguageModel(engine compute.Backend, store *model.Store, network gpt2.Config, o train.Optimizer, begin, maxTokens int) (*LanguageModel, error) {
	m := &LanguageModel{engine: engine, store: store, network: network, begin: begin, maxTokens: min(maxTokens, network.Positions)}
	var err error
	m.Learner, err = train.NewLearner(engine, store, o, []string{clipcap.GPTScope}, m.loss, m.inputs)
	return m, err
}

// loss is the equation above for sentences [B, T].
func (m *LanguageModel) loss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	sentences := inputs[0]
	scope := root.At(clipcap.GPTScope).At("transformer")
	batch, length := sentences.Shape().Dim(0), sentences.Shape().Dim(1)
	begin := BroadcastToDims(ConstAs(sentences, m.begin), batch, 1)
	before := Concatenate([]*Node{begin, Slice(sentences, AxisRange(), AxisRange(0, length-1))}, 1)
	hidden, _ := m.network.Hidden(scope, m.network.Embed(scope, before))
	return loss.Sequence(m.network.Logits(scope, hidden), sentences), nil
}

func (m *LanguageModel) inputs(batch Texts) ([]*tensors.Tensor, error) {
	sentences, err := padded(batch.Sentences, m.maxTokens)
	return []*tensors.Tensor{sentences}, err
}
