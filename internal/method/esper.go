package method

// ESPER (Yu et al. 2022, arXiv:2205.12630) lets CLIP teach a mapper alone, before a frozen
// language model, by proximal policy optimisation. Of a text y₁…y_m that the captioner π
// writes of a photo x behind a prompt p, π_ref being the language model without the photo:
//
//	(1)  R   = g·cos(CLIP(x), CLIP(p y)) + b                            of the whole text
//	(2)  r_t = −β·log(π/π_ref) − η·max(0, −log π_ref − H/m) + l/m + [t = m]·(R − ρ·(n₁ + 2n₂ + 4n₃))
//	(3)  Â_t = Σ_k (γλ)ᵏ·(r_t+k + γV_t+k+1 − V_t+k),   V̂_t = Â_t + V_t      (GAE)
//	(4)  L_π = mean max(−Â·π/π_old, −Â·clip(π/π_old, 1 ± ε))
//	         + mean_x Σ_t max(0, KL(π‖π_ref)_t − κ) + ω·mean_x max(0, −Σ_t log π − H)
//	(5)  L_V = ½ mean max((V − V̂)², (V_old + clip(V − V_old, ±ε) − V̂)²)
//
// n_k are repeated k-grams. r is divided by its standard deviation and Â whitened, over
// the batch. V is a captioner of its own, with a language model that is trained and a head
// of one number. At first texts come from π_ref, R is left out, and (4) is the KL term alone.

import (
	"fmt"
	"math"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/nn"
	"github.com/cutline-go/cutline/internal/train"
)

// ValueScope is where a store has the value model: a captioner's two networks and a head.
const ValueScope = "value"

// ESPERConfig is what the training can be told; in brackets the letters of the equations.
type ESPERConfig struct {
	Gain           float64 `json:"gain"`            // [g] paper: 50
	Bias           float64 `json:"bias"`            // [b] paper: −10
	After          int     `json:"after"`           // updates without R, whose texts the language model writes; paper: 50
	KL             float64 `json:"kl"`              // [β] paper: 0.15
	Entropy        float64 `json:"entropy"`         // [η] paper: 0.1
	EntropyBound   float64 `json:"entropy_bound"`   // [H] nats of a text; paper: 70
	LengthBonus    float64 `json:"length_bonus"`    // [l] paper: 3
	Repetition     float64 `json:"repetition"`      // [ρ] paper: 0.025
	KLMargin       float64 `json:"kl_margin"`       // [κ] paper: 0.1
	EntropyPenalty float64 `json:"entropy_penalty"` // [ω] paper: 0.2

	Discount    float64 `json:"discount"`    // [γ] 0 to 1; paper: 1
	Trace       float64 `json:"trace"`       // [λ] 0 to 1; paper: 0.95
	Clip        float64 `json:"clip"`        // [ε] more than 0; paper: 0.2
	Minibatches int     `json:"minibatches"` // parts of a batch, each of which moves both models; paper: 16
	Passes      int     `json:"passes"`      // over each batch; paper: 4

	Tokens        int     `json:"tokens"`          // [m] of a text; paper: 20
	Temperature   float64 `json:"temperature"`     // of the draws; paper: 0.7
	NoRepeatNgram int     `json:"no_repeat_ngram"` // in the draws; paper: 3
	PromptTokens  int     `json:"prompt_tokens"`   // of the longest prompt

	// Optimizer is that of the mapper and that of the value model, each with moments of
	// its own; its updates and its warm-up count batches.
	Optimizer train.Optimizer `json:"optimizer"`
}

// Validate reports the first field without a meaning.
func (c ESPERConfig) Validate() error {
	switch {
	case c.Minibatches < 1 || c.Passes < 1:
		return fmt.Errorf("esper: minibatches is %d and passes %d, want 1 or more", c.Minibatches, c.Passes)
	case c.Tokens < 1 || c.PromptTokens < 1:
		return fmt.Errorf("esper: tokens is %d and prompt_tokens %d, want 1 or more", c.Tokens, c.PromptTokens)
	case !(c.Discount >= 0 && c.Discount <= 1 && c.Trace >= 0 && c.Trace <= 1):
		return fmt.Errorf("esper: discount is %g and trace %g, want 0 to 1", c.Discount, c.Trace)
	case !(c.Clip > 0) || math.IsInf(c.Clip, 0):
		return fmt.Errorf("esper: clip is %g, want more than 0", c.Clip)
	}
	return nil
}

// Prompted is a batch of photos, each with the tokens that a text of it is to begin with.
type Prompted struct {
	Photos  [][]float32 // [B, E]
	Prompts [][]int     // [B], token ids of the language model
}

// ESPER is the captioner that learns, and the value model.
type ESPER struct {
	config    ESPERConfig
	network   clipcap.Config
	words     Words
	generator *clipcap.Generator // of π
	reference *clipcap.Generator // of π_ref
	look      *model.Exec        // log π, log π_ref and V of texts
	policy    *train.Learner[episodes]
	value     *train.Learner[episodes]
}

// NewESPER prepares to train the mapper of network and the value model, whose variables
// live in store; the language model stays. Texts end by their length alone; the first of
// words.Stop, which they may not have, is the end of text.
func NewESPER(engine compute.Backend, store *model.Store, network clipcap.Config, c ESPERConfig, words Words) (*ESPER, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	network.GPT = network.GPT.WithoutDropout()
	m := &ESPER{config: c, network: network, words: words}
	err := m.search(0, 0).Validate()
	if err != nil {
		return nil, err
	}
	if m.generator, err = clipcap.NewGenerator(engine, store, network); err != nil {
		return nil, err
	}
	if m.reference, err = clipcap.NewTextGenerator(engine, store, network.GPT); err != nil {
		return nil, err
	}
	if m.look, err = model.NewExec(engine, store, m.seen); err != nil {
		return nil, fmt.Errorf("esper: %w", err)
	}
	o := c.Optimizer
	steps := c.Minibatches * c.Passes
	o.Updates, o.Schedule.Warmup = o.Updates*steps, o.Schedule.Warmup*steps
	if m.policy, err = train.NewLearner(engine, store, o, []string{clipcap.MapperScope}, m.policyLoss, m.inputs); err != nil {
		return nil, err
	}
	m.value, err = train.NewLearner(engine, store, o, []string{ValueScope}, m.valueLoss, m.inputs)
	return m, err
}

// search is how texts are drawn.
func (m *ESPER) search(update, rows int) decode.Options {
	return decode.Options{
		Strategy: decode.Sample, Temperature: m.config.Temperature, TopP: 1, NBest: 1, NoRepeatNgram: m.config.NoRepeatNgram,
		MaxLength: m.config.Tokens, MinLength: m.config.Tokens, StopTokens: m.words.Stop[:1],
		Seed: uint64(m.config.Optimizer.Seed)<<32 + uint64(update*rows),
	}
}

// logits are those of π and of π_ref for the tokens [B, T] of prompts and texts, [B, T, V]
// both. Before the first token π_ref has read nothing; it is a prompt's, and not counted.
func (m *ESPER) logits(root *model.Scope, photos, tokens *Node) (policy, reference *Node) {
	gpt := root.At(clipcap.GPTScope).At("transformer")
	hidden, _ := m.network.GPT.Hidden(gpt, m.network.GPT.Embed(gpt, tokens))
	before := Slice(hidden, AxisRange(), AxisRange(0, tokens.Shape().Dim(1)-1))
	reference = m.network.GPT.Logits(gpt, before)
	first := ZerosLike(Slice(reference, AxisRange(), AxisRange(0, 1)))
	return m.network.Logits(root, photos, tokens), StopGradient(Concatenate([]*Node{first, reference}, 1))
}

// values is V before each token: [B, T].
func (m *ESPER) values(root *model.Scope, photos, tokens *Node) *Node {
	root = root.At(ValueScope)
	states := m.network.States(root, m.network.Prefix(root, photos), tokens)
	return Reshape(nn.Linear(root.At("head"), states, 1), tokens.Shape().Dimensions...)
}

// seen is what there is to know of texts before a batch of updates: [B, T] each.
func (m *ESPER) seen(root *model.Scope, inputs []*Node) []*Node {
	photos, tokens := inputs[0], inputs[1]
	policy, reference := m.logits(root, photos, tokens)
	return []*Node{
		Neg(loss.CrossEntropy(policy, tokens)), Neg(loss.CrossEntropy(reference, tokens)), m.values(root, photos, tokens),
	}
}

// policyLoss is (4) for photos [B, E], tokens and which of them count [B, T], log π_old
// and Â [B, T]; the last input is 1, or 0 while the KL term stands alone.
func (m *ESPER) policyLoss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	photos, tokens, counted, old, advantage, learns := inputs[0], inputs[1], inputs[2], inputs[3], inputs[4], inputs[7]
	policy, reference := m.logits(root, photos, tokens)
	logProb := Neg(loss.CrossEntropy(policy, tokens))
	ratio := Exp(Mul(Sub(logProb, old), counted))
	surrogate := loss.MeanOver(larger(Neg(Mul(advantage, ratio)), Neg(Mul(advantage, ClipScalar(ratio, 1-m.config.Clip, 1+m.config.Clip)))), counted)
	kl := ReduceSum(Mul(Softmax(policy, -1), Sub(LogSoftmax(policy, -1), LogSoftmax(reference, -1))), -1)
	hinge := ReduceAllMean(ReduceSum(Mul(MaxScalar(AddScalar(kl, -m.config.KLMargin), 0), counted), -1))
	entropy := Neg(ReduceSum(Mul(logProb, counted), -1))
	bound := MulScalar(ReduceAllMean(MaxScalar(AddScalar(entropy, -m.config.EntropyBound), 0)), m.config.EntropyPenalty)
	return Add(hinge, Mul(learns, Add(surrogate, bound))), []train.Part{
		{Name: "surrogate", Node: surrogate}, {Name: "kl_hinge", Node: hinge}, {Name: "entropy_hinge", Node: bound},
		{Name: "kl", Node: loss.MeanOver(kl, counted)},
	}
}

// valueLoss is (5) for the same inputs, of which V_old and V̂ are the sixth and seventh.
func (m *ESPER) valueLoss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	photos, tokens, counted, old, target := inputs[0], inputs[1], inputs[2], inputs[5], inputs[6]
	v := m.values(root, photos, tokens)
	clipped := Add(old, ClipScalar(Sub(v, old), -m.config.Clip, m.config.Clip))
	return MulScalar(loss.MeanOver(larger(Square(Sub(v, target)), Square(Sub(clipped, target))), counted), 0.5), nil
}

// larger is the larger of two values, the first where they are equal: a clipped one is
// the other itself there, and its gradient would count twice.
func larger(a, b *Node) *Node { return Where(GreaterOrEqual(a, b), a, b) }

func (m *ESPER) inputs(e episodes) ([]*tensors.Tensor, error) {
	photos, err := matrix(e.photos)
	if err != nil {
		return nil, err
	}
	tokens, err := matrix(e.tokens)
	if err != nil {
		return nil, err
	}
	out := []*tensors.Tensor{photos, tokens}
	for _, rows := range [][][]float32{e.counted, e.logProb, e.advantage, e.value, e.target} {
		t, err := matrix(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return append(out, tensors.FromScalar(e.learns)), nil
}
