package method

// DeCap (Li, Zhu, Wen and Yang 2023, arXiv:2303.03032) trains a small decoder from
// scratch to tell a text y from its embedding g(y), of length 1:
//
//	(1)  L = −Σᵢ Σⱼ log p_θ(yⱼⁱ | W·g(yⁱ) + b, y₁ⁱ,…,yⱼ₋₁ⁱ)
//
// and at inference brings a photo v = f(x)/‖f(x)‖ among the embeddings mᵢ of the
// training texts first:
//
//	(2)  p = Σᵢ wᵢ mᵢ / ‖…‖,  wᵢ = softmaxᵢ(v·mᵢ/τ)
//
// (2) is align.Project. The decoder is a GPT-2 over CLIP's own tokens, behind a prefix
// of one vector; y begins with CLIP's start token and ends with its end token. As in
// the authors' code, the targets of (1) are smoothed by 0.1, and tokens of id 0 are not
// counted.

import (
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/train"
)

// DeCapConfig is what DeCap's training can be told.
type DeCapConfig struct {
	LabelSmoothing float64         `json:"label_smoothing"` // 0 to 1; paper's code: 0.1
	MaxTokens      int             `json:"max_tokens"`      // start and end included, longer texts are cut; paper's code: 20
	Optimizer      train.Optimizer `json:"optimizer"`
}

// DeCap learns to say what an embedding of a text says.
type DeCap struct {
	*train.Learner[Pairs] // whose captions are CLIP's token ids, start and end included
	config                DeCapConfig
	network               clipcap.Config
}

// NewDeCap prepares to train network, whose variables live in store. It must normalise
// its embeddings.
func NewDeCap(engine compute.Backend, store *model.Store, network clipcap.Config, c DeCapConfig) (*DeCap, error) {
	switch {
	case !(c.LabelSmoothing >= 0 && c.LabelSmoothing < 1):
		return nil, fmt.Errorf("decap: label_smoothing is %g, want 0 or more and less than 1", c.LabelSmoothing)
	case !network.Normalize:
		return nil, fmt.Errorf("decap: normalize is off, but the memory holds embeddings of length 1")
	}
	m := &DeCap{config: c, network: network}
	var err error
	scopes := []string{clipcap.MapperScope, clipcap.GPTScope}
	m.Learner, err = train.NewLearner(engine, store, c.Optimizer, scopes, m.loss, m.inputs)
	return m, err
}

// loss is (1) for embeddings [B, E] and texts [B, T].
func (m *DeCap) loss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	embedding, texts := inputs[0], inputs[1]
	logits := m.network.Logits(root, embedding, texts)
	return loss.SmoothedSequence(logits, texts, m.config.LabelSmoothing), nil
}

func (m *DeCap) inputs(batch Pairs) ([]*tensors.Tensor, error) {
	embeddings, err := matrix(batch.Embeddings)
	if err != nil {
		return nil, err
	}
	texts, err := padded(batch.Captions, m.config.MaxTokens)
	return []*tensors.Tensor{embeddings, texts}, err
}
