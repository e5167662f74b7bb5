package method

// The latent CycleGAN (Bielawski and VanRullen 2022, "CLIP-based image captioning via
// unsupervised cycle-consistency in the latent space") learns to translate embeddings
// of photos x into such of texts t, and back, from photos and texts that do not belong
// together. G_t and G_i are the generators of texts and of photos, D_t and D_i the
// discriminators:
//
//	(1)  L_adv = mean (D_t(G_t(x)) − 1)² + mean (D_i(G_i(t)) − 1)²
//	(2)  L_cyc = mean |G_i(G_t(x)) − x| + mean |G_t(G_i(t)) − t|
//	(3)  L_id  = mean |G_t(t) − t| + mean |G_i(x) − x|
//	(4)  L_G   = λ_adv·L_adv + λ_cyc·L_cyc + λ_id·L_id
//	(5)  L_D   = ½ mean[(D_t(t) − 1)² + D_t(t̂)²] + ½ mean[(D_i(x) − 1)² + D_i(x̂)²]
//
// Each update moves the generators by (4) and then the discriminators by (5), where
// t̂ = G_t(x) and x̂ = G_i(t) are of the generators before they moved, or come from a
// pool of earlier ones. At inference G_t stands between CLIP and a captioner that
// learned from embeddings of texts. No code was published, and the paper names neither
// the form of the losses nor the weights: these are CycleGAN's (Zhu et al. 2017,
// arXiv:1703.10593), whose means are over the numbers of an embedding.

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/cyclegan"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/train"
)

// LatentCycleGANConfig is what the CycleGAN's training can be told.
type LatentCycleGANConfig struct {
	Adversarial float64 `json:"adversarial"` // λ_adv, 0 or more; CycleGAN: 1
	Cycle       float64 `json:"cycle"`       // λ_cyc; CycleGAN: 10
	Identity    float64 `json:"identity"`    // λ_id; CycleGAN: 5
	Hidden      int     `json:"hidden"`      // units of a discriminator's hidden layer; paper: 256
	Pool        int     `json:"pool"`        // generated embeddings that discriminators are shown again; CycleGAN: 50; 0: none

	// Optimizer is that of the generators and that of the discriminators, each with
	// moments of its own; averages are of the generators alone.
	Optimizer train.Optimizer `json:"optimizer"`

	// DiscriminatorRate multiplies the learning rate for the discriminators; CycleGAN: 1.
	DiscriminatorRate float64 `json:"discriminator_rate"`
}

// Validate reports the first field without a meaning.
func (c LatentCycleGANConfig) Validate() error {
	for _, weight := range []struct {
		name  string
		value float64
	}{{"adversarial", c.Adversarial}, {"cycle", c.Cycle}, {"identity", c.Identity}} {
		if !(weight.value >= 0) || math.IsInf(weight.value, 0) {
			return fmt.Errorf("latent-cyclegan: %s is %g, want 0 or more", weight.name, weight.value)
		}
	}
	switch {
	case c.Hidden < 1:
		return fmt.Errorf("latent-cyclegan: hidden is %d, want 1 or more", c.Hidden)
	case c.Pool < 0:
		return fmt.Errorf("latent-cyclegan: pool is %d, want 0 or more", c.Pool)
	case !(c.DiscriminatorRate > 0) || math.IsInf(c.DiscriminatorRate, 0):
		return fmt.Errorf("latent-cyclegan: discriminator_rate is %g, want more than 0", c.DiscriminatorRate)
	}
	return nil
}

// Unpaired is a batch of embeddings of photos and of texts that have nothing to do with
// each other.
type Unpaired struct {
	Photos [][]float32 // [B, E]
	Texts  [][]float32 // [B, E]
}

// LatentCycleGAN learns to translate embeddings.
type LatentCycleGAN struct {
	*train.Learner[Unpaired] // of the generators
	config                   LatentCycleGANConfig
	network                  cyclegan.Config
	discriminators           *train.Updater
	fakes                    *model.Exec // t̂ and x̂ of a batch
	texts, photos            *pool
}

// NewLatentCycleGAN prepares to train two generators and two discriminators, whose
// variables live in store.
func NewLatentCycleGAN(engine compute.Backend, store *model.Store, network cyclegan.Config, c LatentCycleGANConfig) (*LatentCycleGAN, error) {
	if err := network.Validate(); err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m := &LatentCycleGAN{config: c, network: network}
	var err error
	generators := []string{cyclegan.TextGenerator, cyclegan.PhotoGenerator}
	if m.Learner, err = train.NewLearner(engine, store, c.Optimizer, generators, m.generatorLoss, m.inputs); err != nil {
		return nil, err
	}
	o := c.Optimizer
	o.Schedule.LearningRate *= c.DiscriminatorRate
	o.Average = 0
	discriminators := []string{cyclegan.TextDiscriminator, cyclegan.PhotoDiscriminator}
	if m.discriminators, err = train.NewUpdater(engine, store, o, discriminators, m.discriminatorLoss); err != nil {
		return nil, err
	}
	if m.fakes, err = model.NewExec(engine, store, m.generate); err != nil {
		return nil, fmt.Errorf("latent-cyclegan: %w", err)
	}
	if m.texts, err = newPool(store, "texts", c.Pool, network.Width); err != nil {
		return nil, err
	}
	m.photos, err = newPool(store, "photos", c.Pool, network.Width)
	return m, err
}

// generate returns t̂ and x̂ for photos and texts, [B, E] each.
func (m *LatentCycleGAN) generate(root *model.Scope, inputs []*Node) []*Node {
	x, t := m.network.Read(inputs[0]), m.network.Read(inputs[1])
	return []*Node{
		m.network.Generate(root.At(cyclegan.TextGenerator), x),
		m.network.Generate(root.At(cyclegan.PhotoGenerator), t),
	}
}

// generatorLoss is (4) for photos and texts, [B, E] each.
func (m *LatentCycleGAN) generatorLoss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	toText := func(x *Node) *Node { return m.network.Generate(root.At(cyclegan.TextGenerator), x) }
	toPhoto := func(x *Node) *Node { return m.network.Generate(root.At(cyclegan.PhotoGenerator), x) }
	x, t := m.network.Read(inputs[0]), m.network.Read(inputs[1])
	text, photo := toText(x), toPhoto(t)
	adversarial := Add(
		loss.LeastSquares(m.discriminate(root, cyclegan.TextDiscriminator, text), 1),
		loss.LeastSquares(m.discriminate(root, cyclegan.PhotoDiscriminator, photo), 1))
	cycle := Add(loss.L1(toPhoto(text), x), loss.L1(toText(photo), t))
	identity := Add(loss.L1(toText(t), t), loss.L1(toPhoto(x), x))
	total := Add(MulScalar(adversarial, m.config.Adversarial),
		Add(MulScalar(cycle, m.config.Cycle), MulScalar(identity, m.config.Identity)))
	texts := MaxScalar(loss.Spread(t), 1e-12) // a batch may be one text over and over
	return total, []train.Part{
		{Name: "adversarial", Node: adversarial}, {Name: "cycle", Node: cycle}, {Name: "identity", Node: identity},
		{Name: "spread", Node: Div(loss.Spread(text), texts)},
	}
}

// discriminatorLoss is (5) for photos, texts, t̂ and x̂, [B, E] each.
func (m *LatentCycleGAN) discriminatorLoss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	x, t := m.network.Read(inputs[0]), m.network.Read(inputs[1])
	text, photo := inputs[2], inputs[3]
	real := Add(
		loss.LeastSquares(m.discriminate(root, cyclegan.TextDiscriminator, t), 1),
		loss.LeastSquares(m.discriminate(root, cyclegan.PhotoDiscriminator, x), 1))
	fake := Add(
		loss.LeastSquares(m.discriminate(root, cyclegan.TextDiscriminator, text), 0),
		loss.LeastSquares(m.discriminate(root, cyclegan.PhotoDiscriminator, photo), 0))
	return MulScalar(Add(real, fake), 0.5), nil
}

func (m *LatentCycleGAN) discriminate(root *model.Scope, scope string, x *Node) *Node {
	return cyclegan.Discriminate(root.At("%s", scope), x, m.config.Hidden)
}

func (m *LatentCycleGAN) inputs(batch Unpaired) ([]*tensors.Tensor, error) {
	photos, err := matrix(batch.Photos)
	if err != nil {
		return nil, err
	}
	texts, err := matrix(batch.Texts)
	return []*tensors.Tensor{photos, texts}, err
}

// Step runs one update: the generators move, then the discriminators. Besides the
// generators' losses it tells the discriminators'.
func (m *LatentCycleGAN) Step(ctx context.Context, update int, batch Unpaired) (train.Losses, error) {
	text, photo, err := m.shown(update, batch)
	if err != nil {
		return nil, err
	}
	losses, err := m.Learner.Step(ctx, update, batch)
	if err != nil {
		return nil, err
	}
	inputs, err := m.inputs(batch)
	if err != nil {
		return nil, err
	}
	judged, err := m.discriminators.Step(update, append(inputs, text, photo)...)
	if err != nil {
		return nil, fmt.Errorf("discriminators: %w", err)
	}
	for _, l := range judged {
		if l.Name != "learning_rate" {
			losses = append(losses, train.Loss{Name: "discriminator_" + l.Name, Value: l.Value})
		}
	}
	return losses, nil
}

// shown generates t̂ and x̂ for a batch, and swaps some for earlier ones.
func (m *LatentCycleGAN) shown(update int, batch Unpaired) (text, photo *tensors.Tensor, err error) {
	inputs, err := m.inputs(batch)
	if err != nil {
		return nil, nil, err
	}
	out, err := m.fakes.Call(inputs[0], inputs[1])
	if err != nil {
		return nil, nil, fmt.Errorf("latent-cyclegan: %w", err)
	}
	rng := rand.New(rand.NewPCG(uint64(m.config.Optimizer.Seed), uint64(update)))
	for i, p := range []*pool{m.texts, m.photos} {
		fresh, err := tensors.CopyFlatData[float32](out[i])
		if err != nil {
			return nil, nil, fmt.Errorf("latent-cyclegan: %w", err)
		}
		rows := len(fresh) / m.network.Width
		if fresh, err = p.swap(fresh, update*rows, rng); err != nil {
			return nil, nil, err
		}
		out[i] = tensors.FromFlatDataAndDimensions(fresh, rows, m.network.Width)
	}
	return out[0], out[1], nil
}
