package method

// Unsupervised-ClipCap ("Simple Unsupervised Image Captioning via CLIP's Multimodal
// Embeddings") is ClipCap learned from texts: f_t is CLIP's text tower, h the mapper,
// f_g GPT-2, and y' another caption of the photo that y is of.
//
//	(1)  p(yᵢ | y', y_<i) = f_g(h(f_t(y')), y_<i)
//	(2)  L = Σᵢ CE(p(yᵢ | y', y_<i), yᵢ)
//
// At inference a photo's embedding f_v(x) stands in for f_t(y'). As in ClipCap, (2) is
// a mean over all tokens other than id 0. No code was published, and the paper says
// neither how y' is drawn nor whether embeddings are normalised: here y' is drawn
// uniformly from the photo's other captions, anew each time, and the network's
// configuration says the latter.

import (
	"context"
	"math/rand/v2"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/train"
)

// UnsupervisedClipCapConfig is what its training can be told.
type UnsupervisedClipCapConfig struct {
	Matched   bool            `json:"matched"`    // paper: true; false is its ablation y' = y
	FreezeGPT bool            `json:"freeze_gpt"` // train the mapper alone; paper: false
	Optimizer train.Optimizer `json:"optimizer"`
	MaxTokens int             `json:"max_tokens"` // longer captions are cut
}

// Paraphrases is a batch of captions y, each with the embeddings of all captions of
// its photo.
type Paraphrases struct {
	Embeddings [][][]float32 // [B], of each photo [n, E]
	Targets    []int         // [B], which of the n is y
	Captions   [][]int       // [B], y as token ids of the language model, of any length
}

// UnsupervisedClipCap learns to write one caption of a photo from another.
type UnsupervisedClipCap struct {
	config  UnsupervisedClipCapConfig
	network clipcap.Config
	learner *train.Learner[Pairs] // of embeddings of y' and captions y
}

// NewUnsupervisedClipCap prepares to train network, whose variables live in store.
func NewUnsupervisedClipCap(engine compute.Backend, store *model.Store, network clipcap.Config, c UnsupervisedClipCapConfig) (*UnsupervisedClipCap, error) {
	scopes := trained(&network, c.FreezeGPT)
	m := &UnsupervisedClipCap{config: c, network: network}
	var err error
	m.learner, err = train.NewLearner(engine, store, c.Optimizer, scopes, m.loss, m.inputs)
	return m, err
}

// loss is (2) for the embeddings of y' [B, E] and the captions y [B, T].
func (m *UnsupervisedClipCap) loss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	embedding, captions := inputs[0], inputs[1]
	return loss.Sequence(m.network.Logits(root, embedding, captions), captions), nil
}

func (m *UnsupervisedClipCap) inputs(batch Pairs) ([]*tensors.Tensor, error) {
	embeddings, err := matrix(batch.Embeddings)
	if err != nil {
		return nil, err
	}
	captions, err := padded(batch.Captions, m.config.MaxTokens)
	return []*tensors.Tensor{embeddings, captions}, err
}

// Step runs one update. Besides the losses it tells for which share of the captions
// there was another one to read.
func (m *UnsupervisedClipCap) Step(ctx context.Context, update int, batch Paraphrases) (train.Losses, error) {
	read, matched := m.draw(update, batch)
	losses, err := m.learner.Step(ctx, update, read)
	if err != nil {
		return nil, err
	}
	return append(losses, train.Loss{Name: "matched", Value: float64(matched) / float64(len(batch.Captions))}), nil
}

// Loss is the loss of a batch of photos.
func (m *UnsupervisedClipCap) Loss(batch Pairs) (train.Losses, error) { return m.learner.Loss(batch) }

// Need estimates what updates on batches like this one take.
func (m *UnsupervisedClipCap) Need(batch Paraphrases) (train.Need, error) {
	read, _ := m.draw(0, batch)
	return m.learner.Need(read)
}

// draw chooses the embedding of y' for each y; where a photo has one caption, that of
// y itself.
func (m *UnsupervisedClipCap) draw(update int, batch Paraphrases) (read Pairs, matched int) {
	read.Captions = batch.Captions
	rng := rand.New(rand.NewPCG(uint64(m.config.Optimizer.Seed), uint64(update)))
	for i, captions := range batch.Embeddings {
		other := batch.Targets[i]
		if m.config.Matched && len(captions) > 1 {
			if other = rng.IntN(len(captions) - 1); other >= batch.Targets[i] {
				other++
			}
			matched++
		}
		read.Embeddings = append(read.Embeddings, captions[other])
	}
	return read, matched
}
