package method

// CgT-GAN (Yu et al. 2023, arXiv:2308.12045) learns to caption from photos x and sentences
// s that do not belong together. The generator G is a captioner, the discriminator D a
// RoBERTa with a head, and a frozen CLIP judges. Of a caption c, e_C being its embedding,
// e_I that of the photo and e_agg what the sentences hold around it ([align.Aggregate]):
//
//	(1)  r_agg = (1−μ)·100·cos(e_agg, e_C) + μ·100·(1 − mean_d |e_agg − e_C|)     μ = ½
//	(2)  r_clip = (1−λ)·r_agg + λ·100·cos(e_I, e_C)     λ = 0: CLIP-agg; 1: CLIP-cos
//	(3)  r_D = D(c), a logit
//	(4)  L_r = −mean_c (r(c) − b_r) · mean_t log p_G(c_t | x, c_<t)     for r_clip and r_D
//	(5)  L_G = w·L_clip + (1−w)·L_D
//	(6)  L_D′ = BCE(D(s), 1) + BCE(D(c), 0), as the mean over sentences and captions
//
// N captions are drawn for each photo. The baseline b_r is the reward of the caption that
// G writes greedily, or the mean of the other captions that were drawn. w is 0 at first
// and then rises. D moves before G, but the rewards are those of D before it moved.

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/roberta"
	"github.com/cutline-go/cutline/internal/train"
)

// Baseline is what a reward is compared with.
type Baseline string

// The two baselines.
const (
	BaselineGreedy Baseline = "greedy" // the reward of the greedy caption
	BaselineSample Baseline = "sample" // leave-one-out: the mean of the photo's other samples
)

// CgTGANConfig is what the training can be told.
type CgTGANConfig struct {
	Samples    int      `json:"samples"`     // N captions drawn for each photo, and as many sentences; paper: 5
	Baseline   Baseline `json:"baseline"`    // paper: greedy
	ClipWeight float64  `json:"clip_weight"` // λ, 0 to 1; paper: 0 for CLIP-agg, 1 for CLIP-cos
	L1         float64  `json:"l1"`          // μ, 0 to 1; paper: 0.5
	Weight     Ramp     `json:"weight"`      // w
	MaxTokens  int      `json:"max_tokens"`  // of a caption; paper: 20
	ReadTokens int      `json:"read_tokens"` // that D reads, <s> and </s> included; paper: 22

	Generator     train.Optimizer `json:"generator"`
	Discriminator train.Optimizer `json:"discriminator"`
}

// Ramp is a weight that rises in a line from 0.
type Ramp struct {
	Most  float64 `json:"most"`  // that it becomes, 0 to 1; paper: 0.5; 0: naturalness alone
	After int     `json:"after"` // updates at 0; paper: 150
	Over  int     `json:"over"`  // updates of its rise; paper: 2350
}

// At is the weight at an update, counted from 0.
func (r Ramp) At(update int) float64 {
	if update < r.After {
		return 0
	}
	return r.Most * min(1, float64(update-r.After)/float64(max(1, r.Over)))
}

// Unmatched is a batch of photos and of sentences that are not theirs.
type Unmatched struct {
	Photos    [][]float32 // [B, E], e_I
	Targets   [][]float32 // [B, E], e_agg
	Sentences []string    // [B·N]
}

// Words is how captions leave the language model and reach those who judge them.
type Words struct {
	Stop  []int                                                             // tokens that end a caption, a full stop first
	Say   func(caption []int) string                                        // token ids of the language model as text
	Embed func(ctx context.Context, captions []string) ([][]float32, error) // by CLIP, [.., E]
	Read  func(text string) ([]int32, error)                                // for D: ReadTokens ids, padded
}

// CgTGAN is the two players.
type CgTGAN struct {
	config    CgTGANConfig
	network   clipcap.Config
	reader    roberta.Config
	words     Words
	generator *clipcap.Generator
	judge     *model.Exec // D without dropout: ids to logits
	g         *train.Learner[spoken]
	d         *train.Learner[shown]
}

// NewCgTGAN prepares to train network and reader, whose variables live in store. The
// generator runs without dropout, so that what is drawn is what is trained.
func NewCgTGAN(engine compute.Backend, store *model.Store, network clipcap.Config, reader roberta.Config, c CgTGANConfig, words Words) (*CgTGAN, error) {
	network.GPT = network.GPT.WithoutDropout()
	m := &CgTGAN{config: c, network: network, reader: reader, words: words}
	if err := c.Validate(reader); err != nil {
		return nil, err
	}
	var err error
	if m.generator, err = clipcap.NewGenerator(engine, store, network); err != nil {
		return nil, err
	}
	if m.judge, err = model.NewExec(engine, store, m.logits); err != nil {
		return nil, fmt.Errorf("cgt-gan: %w", err)
	}
	if m.g, err = train.NewLearner(engine, store, c.Generator, []string{clipcap.MapperScope, clipcap.GPTScope}, m.generatorLoss, m.spokenInputs); err != nil {
		return nil, err
	}
	m.d, err = train.NewLearner(engine, store, c.Discriminator, []string{roberta.Scope, roberta.HeadScope}, m.discriminatorLoss, m.shownInputs)
	return m, err
}

// Validate reports the first field without a meaning.
func (c CgTGANConfig) Validate(reader roberta.Config) error {
	switch {
	case c.Baseline != BaselineGreedy && c.Baseline != BaselineSample:
		return fmt.Errorf("cgt-gan: baseline is %q, want %q or %q", c.Baseline, BaselineGreedy, BaselineSample)
	case c.Samples < 1 || c.Baseline == BaselineSample && c.Samples < 2:
		return fmt.Errorf("cgt-gan: samples is %d, want 1 or more, and 2 to be compared with each other", c.Samples)
	case !(c.ClipWeight >= 0 && c.ClipWeight <= 1):
		return fmt.Errorf("cgt-gan: clip_weight is %g, want 0 to 1", c.ClipWeight)
	case !(c.L1 >= 0 && c.L1 <= 1):
		return fmt.Errorf("cgt-gan: l1 is %g, want 0 to 1", c.L1)
	case !(c.Weight.Most >= 0 && c.Weight.Most <= 1) || c.Weight.After < 0 || c.Weight.Over < 0:
		return fmt.Errorf("cgt-gan: weight is %+v, want most from 0 to 1 and no negative updates", c.Weight)
	case c.ReadTokens < 3 || c.ReadTokens > reader.MaxTokens():
		return fmt.Errorf("cgt-gan: read_tokens is %d, but the discriminator reads 3 to %d", c.ReadTokens, reader.MaxTokens())
	}
	return nil
}

// generatorLoss is (5) for embeddings [B·N, E], the captions [B·N, T], their advantages
// by r_clip and r_D [B·N] each, and w.
func (m *CgTGAN) generatorLoss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	embeddings, captions, w := inputs[0], inputs[1], inputs[4]
	logProb := loss.TextLogProb(m.network.Logits(root, embeddings, captions), captions)
	clip, natural := loss.Reinforce(logProb, inputs[2]), loss.Reinforce(logProb, inputs[3])
	return Add(Mul(w, clip), Mul(OneMinus(w), natural)),
		[]train.Part{{Name: "loss_clip", Node: clip}, {Name: "loss_natural", Node: natural}}
}

// logits is D's word on ids [B, T]: [B].
func (m *CgTGAN) logits(root *model.Scope, ids *Node) *Node {
	return m.reader.Logit(root, m.reader.Pooled(root, m.reader.Hidden(root, ids)))
}

// discriminatorLoss is (6) for ids [2·B·N, T] and labels [2·B·N], and beside it the share
// that D takes for what they are.
func (m *CgTGAN) discriminatorLoss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	logits, labels := m.logits(root, inputs[0]), inputs[1]
	right := Equal(ConvertDType(GreaterThan(logits, ZerosLike(logits)), labels.DType()), labels)
	return loss.BinaryCrossEntropy(logits, labels),
		[]train.Part{{Name: "told", Node: ReduceAllMean(ConvertDType(right, logits.DType()))}}
}

// Step runs one update of D and one of G. What is drawn is a function of the seed, the
// update's number and the weights.
func (m *CgTGAN) Step(ctx context.Context, update int, batch Unmatched) (train.Losses, error) {
	c, err := m.say(ctx, update, batch.Photos)
	if err != nil {
		return nil, err
	}
	r, err := m.rewards(ctx, c, batch)
	if err != nil {
		return nil, err
	}
	d, err := m.d.Step(ctx, update, shown{batch.Sentences, c.texts(m.words.Say, m.config.Samples)})
	if err != nil {
		return nil, err
	}
	w := m.config.Weight.At(update)
	g, err := m.g.Step(ctx, update, m.spoken(batch.Photos, c, r, w))
	if err != nil {
		return nil, err
	}
	out := append(append(g, r.parts...), train.Loss{Name: "weight", Value: w}, train.Loss{Name: "distinct", Value: c.distinct()})
	for _, l := range d {
		if l.Name != "told" {
			l.Name = "discriminator_" + l.Name
		}
		out = append(out, l)
	}
	return out, nil
}
