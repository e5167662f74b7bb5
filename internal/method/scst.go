package method

// Self-critical sequence training (Rennie et al. 2017, arXiv:1612.00563) teaches a
// captioner by the score of what it writes itself. Of captions wⁿ ~ p_θ(·|x), n = 1…N,
// that it draws for a photo x:
//
//	(1)  L = −mean_x mean_n (r(wⁿ) − bₙ) · log p_θ(wⁿ | x)
//	(2)  bₙ = mean_{m≠n} r(wᵐ)
//
// The paper's baseline b is the reward of the caption that the captioner writes
// greedily; (2), of Luo (2020, arXiv:2003.09971), needs no caption beside those drawn.
// (1) is a mean over all tokens of a batch other than id 0: a mean over each caption's own
// would favour short captions. Captions are drawn, and their probability is taken,
// without dropout. The reward r is given; the paper's is CIDEr-D.

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/train"
)

// SCSTConfig is what self-critical training can be told.
type SCSTConfig struct {
	Samples   int             `json:"samples"`    // N captions drawn for each photo, from 2
	FreezeGPT bool            `json:"freeze_gpt"` // train the mapper alone
	MaxTokens int             `json:"max_tokens"` // drawn captions end here
	Optimizer train.Optimizer `json:"optimizer"`
}

// Scenes is a batch of photos that a captioner is to describe in its own words.
type Scenes struct {
	Photos     []int       // [B], the numbers by which a [Reward] knows them
	Embeddings [][]float32 // [B, E]
}

// Reward judges captions [B][N], as token ids of the language model, of scenes: one
// number for each, and means for the log.
type Reward func(ctx context.Context, scenes Scenes, captions [][][]int) (rewards [][]float64, parts train.Losses, err error)

// SCST learns from the rewards of what it writes.
type SCST struct {
	config    SCSTConfig
	network   clipcap.Config
	generator *clipcap.Generator
	search    decode.Options
	reward    Reward
	learner   *train.Learner[written]
}

// written are captions that were drawn, each with its photo's embedding.
type written struct {
	Pairs
	advantages []float32
}

// NewSCST prepares to train network, whose variables live in store, by captions that
// one of the tokens stop ends.
func NewSCST(engine compute.Backend, store *model.Store, network clipcap.Config, c SCSTConfig, stop []int, reward Reward) (*SCST, error) {
	if c.Samples < 2 {
		return nil, fmt.Errorf("scst: samples is %d, want 2 or more, whose rewards are compared", c.Samples)
	}
	scopes := trained(&network, c.FreezeGPT)
	network.GPT = network.GPT.WithoutDropout()
	m := &SCST{config: c, network: network, reward: reward, search: decode.Options{
		Strategy: decode.Sample, Temperature: 1, TopP: 1,
		MaxLength: c.MaxTokens, StopTokens: stop, NBest: c.Samples,
	}}
	err := m.search.Validate()
	if err != nil {
		return nil, err
	}
	if m.generator, err = clipcap.NewGenerator(engine, store, network); err != nil {
		return nil, err
	}
	m.learner, err = train.NewLearner(engine, store, c.Optimizer, scopes, m.loss, m.inputs)
	return m, err
}

// loss is (1) for embeddings [B·N, E], captions [B·N, T] and their advantages [B·N].
func (m *SCST) loss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	embeddings, captions, advantages := inputs[0], inputs[1], inputs[2]
	losses := loss.CrossEntropy(m.network.Logits(root, embeddings, captions), captions)
	counted := ConvertDType(NotEqual(captions, ConstAs(captions, loss.Padding)), losses.DType())
	return loss.MeanOver(Mul(losses, InsertAxes(advantages, -1)), counted), nil
}

func (m *SCST) inputs(batch written) ([]*tensors.Tensor, error) {
	embeddings, err := matrix(batch.Embeddings)
	if err != nil {
		return nil, err
	}
	captions, err := padded(batch.Captions, m.config.MaxTokens)
	return []*tensors.Tensor{embeddings, captions, tensors.FromValue(batch.advantages)}, err
}

// Step runs one update. What it draws is a function of the seed, the update's number
// and the weights.
func (m *SCST) Step(ctx context.Context, update int, batch Scenes) (train.Losses, error) {
	captions, err := m.draw(ctx, update, batch)
	if err != nil {
		return nil, err
	}
	rewards, parts, err := m.reward(ctx, batch, captions)
	if err != nil {
		return nil, err
	}
	var w written
	for i, row := range rewards {
		w.advantages = append(w.advantages, leaveOneOut(row)...)
		w.Captions = append(w.Captions, captions[i]...)
		for range row {
			w.Embeddings = append(w.Embeddings, batch.Embeddings[i])
		}
	}
	losses, err := m.learner.Step(ctx, update, w)
	return append(losses, parts...), err
}

// draw lets the captioner write N captions for each photo: [B][N].
func (m *SCST) draw(ctx context.Context, update int, batch Scenes) ([][][]int, error) {
	session, err := m.generator.Start(batch.Embeddings, m.config.MaxTokens)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	search := m.search
	search.Seed = uint64(m.config.Optimizer.Seed)<<32 + uint64(update*len(batch.Embeddings))
	found, err := decode.Search(ctx, session, search)
	if err != nil {
		return nil, err
	}
	captions := make([][][]int, len(found))
	for i, hypotheses := range found {
		for _, h := range hypotheses {
			captions[i] = append(captions[i], h.Tokens)
		}
	}
	return captions, nil
}

// leaveOneOut subtracts (2) from each of the rewards of one photo.
func leaveOneOut(rewards []float64) []float32 {
	sum := 0.0
	for _, r := range rewards {
		sum += r
	}
	out := make([]float32, len(rewards))
	for i, r := range rewards {
		out[i] = float32(r - (sum-r)/float64(len(rewards)-1))
	}
	return out
}

// Need estimates what an update on such a batch takes at the most.
func (m *SCST) Need(batch Scenes) (train.Need, error) {
	var w written
	longest := make([]int, m.config.MaxTokens)
	for _, embedding := range batch.Embeddings {
		for range m.config.Samples {
			w.Embeddings, w.Captions, w.advantages = append(w.Embeddings, embedding), append(w.Captions, longest), append(w.advantages, 0)
		}
	}
	return m.learner.Need(w)
}
