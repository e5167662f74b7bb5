package method

// Semi-supervised captioning with CLIP (Jin 2023, arXiv:2306.15111) learns from a few
// captions c of photos x, and then from photos alone. F is the mapper, f and g are
// CLIP's towers, W and E the embedding tables of GPT-2 and of g:
//
//	(1)  L₁ = −mean log p_θ(cⱼ | F(f(x)), c₁,…,cⱼ₋₁)               stage 1
//	(2)  yₜ = softmax((lₜ + gₜ)/τ),  gₜ = −log(−log u);  GPT-2 reads yₜ·W next
//	(3)  ĉ = g(start, y₁·M·E, …, yₙ·M·E, end)
//	(4)  L₂ = −mean cos(f(x), ĉ) + λ·L₁                             stage 2
//
// lₜ are the logits of a caption in the making, which ends where a stop token has the
// largest lₜ + gₜ. Straight through, yₜ in (2) is the one-hot vector of that token, and
// (2) its gradient. M brings GPT-2's tokens to CLIP's (see [NewTable]); the second
// bridge takes ĉ of the caption's text, in CLIP's own tokens, and (3) for the gradient.
// As in ClipCap, (1) is a mean over all tokens other than id 0. No code was published,
// and the paper names neither M, τ nor λ; without the latter, captions become lists of
// what CLIP likes.

import (
	"fmt"
	"math"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/nn"
	"github.com/cutline-go/cutline/internal/train"
)

// Bridge is how CLIP reads what GPT-2 writes.
type Bridge string

// The two ways: by (3), or by the captions' texts with the gradient of (3).
const (
	BridgeTokens Bridge = "tokens"
	BridgeText   Bridge = "text"
)

// SemiSupervisedConfig is what the training can be told.
type SemiSupervisedConfig struct {
	FreezeGPT bool            `json:"freeze_gpt"` // train the mapper alone; paper: false
	Optimizer train.Optimizer `json:"optimizer"`  // of both stages, which share its moments
	MaxTokens int             `json:"max_tokens"` // longer captions of stage 1 are cut

	Stages          Stages  `json:"stages"`
	UnlabelledRate  float64 `json:"unlabelled_rate"`  // multiplies the learning rate in stage 2
	Bridge          Bridge  `json:"bridge"`           // paper: not said
	StraightThrough bool    `json:"straight_through"` // paper: not said
	Samples         int     `json:"samples"`          // captions of each photo; paper's pseudo-code: 5
	Length          int     `json:"length"`           // tokens of such a caption at most
	TauFrom         float64 `json:"tau_from"`         // τ at the first update of the run
	TauTo           float64 `json:"tau_to"`           // and at the last; in a line between
	Anchor          float64 `json:"anchor"`           // λ; 0: captions are free of those of stage 1
}

// Stages tells which stage an update is of.
type Stages struct {
	Supervised int `json:"supervised"` // updates of stage 1 that come first
	Unlabelled int `json:"unlabelled"` // updates of stage 2 that follow; 0: none
	Again      int `json:"again"`      // updates of stage 1 after these, and so on in turns; 0: stage 2 to the end
}

// First tells whether an update, counted from 0, is of stage 1.
func (s Stages) First(update int) bool {
	after := update - s.Supervised
	if after < 0 || s.Unlabelled == 0 {
		return true
	}
	return s.Again > 0 && after%(s.Unlabelled+s.Again) >= s.Unlabelled
}

// Validate reports the first field without a meaning.
func (c SemiSupervisedConfig) Validate() error {
	positive := func(v float64) bool { return v > 0 && !math.IsInf(v, 0) }
	switch s := c.Stages; {
	case s.Supervised < 0 || s.Unlabelled < 0 || s.Again < 0:
		return fmt.Errorf("semi-supervised: stages are %+v, want 0 or more", s)
	case c.Bridge != BridgeTokens && c.Bridge != BridgeText:
		return fmt.Errorf("semi-supervised: bridge is %q, want %q or %q", c.Bridge, BridgeTokens, BridgeText)
	case c.Samples < 1 || c.Length < 1:
		return fmt.Errorf("semi-supervised: samples is %d and length %d, want 1 or more", c.Samples, c.Length)
	case !positive(c.TauFrom) || !positive(c.TauTo) || !positive(c.UnlabelledRate):
		return fmt.Errorf("semi-supervised: tau_from is %g, tau_to %g and unlabelled_rate %g, want more than 0", c.TauFrom, c.TauTo, c.UnlabelledRate)
	case !(c.Anchor >= 0) || math.IsInf(c.Anchor, 0):
		return fmt.Errorf("semi-supervised: anchor is %g, want 0 or more", c.Anchor)
	}
	return nil
}

// PartlyLabelled is a batch of photos with captions, and of photos without.
type PartlyLabelled struct {
	Pairs
	Photos [][]float32 // [B', E]
}

// SemiSupervised learns from captions of photos, and from CLIP's judgement of its own.
type SemiSupervised struct {
	config     SemiSupervisedConfig
	network    clipcap.Config
	reader     Reader
	supervised *train.Learner[Pairs] // stage 1
	unlabelled *train.Learner[guess] // stage 2
	writer     *model.Exec           // draws captions, for their texts
}

// guess is a batch of stage 2 with all that is drawn for it.
type guess struct {
	PartlyLabelled
	noise []float32 // [B'·samples, L, V]
	tau   float32
	texts [][]float32 // [B'·samples, E] of the captions' texts, where the bridge asks for them
}

// NewSemiSupervised prepares to train network, whose variables live in store beside
// those of the reader's text tower, which is frozen.
func NewSemiSupervised(engine compute.Backend, store *model.Store, network clipcap.Config, c SemiSupervisedConfig, r Reader) (*SemiSupervised, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if room := min(network.GPT.Positions-network.Mapper.PrefixLength+1, r.CLIP.Text.ContextLength-2); c.Length > room {
		return nil, fmt.Errorf("semi-supervised: length is %d, but there is room for %d tokens", c.Length, room)
	}
	if err := r.keep(store, network.GPT.VocabSize); err != nil {
		return nil, err
	}
	scopes := trained(&network, c.FreezeGPT)
	m := &SemiSupervised{config: c, network: network, reader: r}
	var err error
	if m.supervised, err = train.NewLearner(engine, store, c.Optimizer, scopes, m.captionLoss, m.pairs); err != nil {
		return nil, err
	}
	o := c.Optimizer
	o.Schedule.LearningRate *= c.UnlabelledRate
	if m.unlabelled, err = train.NewLearner(engine, store, o, scopes, m.guessLoss, m.inputs); err != nil {
		return nil, err
	}
	if m.writer, err = model.NewExec(engine, store, m.write); err != nil {
		return nil, fmt.Errorf("semi-supervised: %w", err)
	}
	return m, nil
}

// captionLoss is (1) for embeddings [B, E] and captions [B, T].
func (m *SemiSupervised) captionLoss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	return loss.Sequence(m.network.Logits(root, inputs[0], inputs[1]), inputs[1]), nil
}

// draw is (2) for photos [N, E], noise [N, L, V] and τ. It is without dropout, so that
// the captions are those that their texts were taken of.
func (m *SemiSupervised) draw(root *model.Scope, photos, noise, tau *Node) drawn {
	network := m.network
	network.GPT = network.GPT.WithoutDropout()
	return draw(network, root, photos, noise, tau, m.config.StraightThrough, m.reader.Stop)
}

// guessLoss is (4) for embeddings [B, E] and captions [B, T], photos [N, E], their noise
// [N, L, V], τ and perhaps the embeddings of the captions' texts [N, E].
func (m *SemiSupervised) guessLoss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	anchor, _ := m.captionLoss(root, inputs[:2])
	photos := inputs[2]
	captions := m.draw(root, photos, inputs[3], inputs[4])
	read := m.reader.read(root, captions)
	if len(inputs) > 5 {
		read = Add(inputs[5], Sub(read, StopGradient(read)))
	}
	photos, read = nn.Unit(photos), nn.Unit(read)
	own := ReduceAllMean(ReduceSum(Mul(photos, read), -1))
	any := ReduceAllMean(Einsum("ne,me->nm", photos, read))
	total := Add(Neg(own), MulScalar(anchor, m.config.Anchor))
	return total, []train.Part{
		{Name: "cross_entropy", Node: anchor}, {Name: "similarity", Node: own},
		{Name: "margin", Node: Sub(own, any)},
		{Name: "length", Node: captions.length()}, {Name: "distinct", Node: captions.distinct()},
	}
}
