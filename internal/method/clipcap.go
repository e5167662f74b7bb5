package method

// ClipCap (Mokady, Hertz and Bermano 2021, arXiv:2111.09734).
//
//	(1)  p₁,…,p_k = F(CLIP(x))                         the mapper F makes a prefix
//	(2)  L = −Σᵢ Σⱼ log p_θ(cⱼⁱ | p₁ⁱ,…,p_kⁱ, c₁ⁱ,…,cⱼ₋₁ⁱ)   over captions i, tokens j
//
// As in the authors' code, the sum is a mean over all tokens other than id 0. Two
// variants: an MLP with GPT-2 trained along, and a transformer with GPT-2 frozen,
// which then also runs without dropout.

import (
	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/train"
)

// ClipCapConfig is what ClipCap's training can be told.
type ClipCapConfig struct {
	FreezeGPT bool            `json:"freeze_gpt"` // train the mapper alone; paper: with the transformer
	Optimizer train.Optimizer `json:"optimizer"`
	MaxTokens int             `json:"max_tokens"` // longer captions are cut
}

// ClipCap learns to caption from pairs of a photo's embedding and its caption.
type ClipCap struct {
	*train.Learner[Pairs]
	config  ClipCapConfig
	network clipcap.Config
}

// NewClipCap prepares to train network, whose variables live in store.
func NewClipCap(engine compute.Backend, store *model.Store, network clipcap.Config, c ClipCapConfig) (*ClipCap, error) {
	scopes := trained(&network, c.FreezeGPT)
	m := &ClipCap{config: c, network: network}
	var err error
	m.Learner, err = train.NewLearner(engine, store, c.Optimizer, scopes, m.loss, m.inputs)
	return m, err
}

// loss is equation (2) for embeddings [B, E] and captions [B, T].
func (m *ClipCap) loss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	embedding, captions := inputs[0], inputs[1]
	return loss.Sequence(m.network.Logits(root, embedding, captions), captions), nil
}

func (m *ClipCap) inputs(batch Pairs) ([]*tensors.Tensor, error) {
	embeddings, err := matrix(batch.Embeddings)
	if err != nil {
		return nil, err
	}
	captions, err := padded(batch.Captions, m.config.MaxTokens)
	return []*tensors.Tensor{embeddings, captions}, err
}
