package method

// CapDec (Nukrai, Mokady and Globerson 2022, arXiv:2211.00575) learns from captions y
// alone: photos are to come out close to their captions in CLIP's space, so the mapper
// F is trained on the neighbourhood of the caption's embedding g(y).
//
//	(1)  z = g(y)/‖g(y)‖,  z' = norm(z + n [+ offset])
//	     n = σ·ε, ε ~ N(0, I), or n uniform in the ball of radius σ
//	(2)  L = −Σᵢ Σⱼ log p_θ(yⱼⁱ | F(z'ⁱ), y₁ⁱ,…,yⱼ₋₁ⁱ)
//
// As in ClipCap, (2) is a mean over all tokens other than id 0. The offset is the mean
// photo minus the mean text, both normalised, where photos are at hand. At inference
// z' is a photo's embedding, normalised.

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/nn"
	"github.com/cutline-go/cutline/internal/train"
)

// CapDecConfig is what CapDec's training can be told.
type CapDecConfig struct {
	Noise     Noise           `json:"noise"`
	FreezeGPT bool            `json:"freeze_gpt"` // train the mapper alone; paper: false
	Optimizer train.Optimizer `json:"optimizer"`
	MaxTokens int             `json:"max_tokens"` // longer captions are cut
}

// NoiseKind is a distribution of n.
type NoiseKind string

// CapDec's two distributions.
const (
	Gaussian NoiseKind = "gaussian"
	Ball     NoiseKind = "ball" // uniform inside it
)

// Noise is what (1) adds.
type Noise struct {
	Kind     NoiseKind `json:"kind"`
	Variance float64   `json:"variance"` // σ²; of each coordinate, or of the ball's radius. Paper: 0.016; 0: none
}

// PaperNoise is CapDec's default.
func PaperNoise() Noise { return Noise{Gaussian, 0.016} }

// Validate reports the first field without a meaning.
func (n Noise) Validate() error {
	switch {
	case n.Kind != Gaussian && n.Kind != Ball:
		return fmt.Errorf("noise: kind is %q, want %q or %q", n.Kind, Gaussian, Ball)
	case !(n.Variance >= 0) || math.IsInf(n.Variance, 0):
		return fmt.Errorf("noise: variance is %g, want 0 or more", n.Variance)
	}
	return nil
}

// Draw returns n for each of some rows of width E: [rows, E].
func (n Noise) Draw(rng *rand.Rand, rows, width int) [][]float32 {
	out := make([][]float32, rows)
	for i := range out {
		out[i] = make([]float32, width)
		norm := 0.0
		direction := make([]float64, width)
		for j := range direction {
			direction[j] = rng.NormFloat64()
			norm += direction[j] * direction[j]
		}
		scale := math.Sqrt(n.Variance)
		if n.Kind == Ball {
			scale *= math.Pow(rng.Float64(), 1/float64(width)) / math.Sqrt(norm)
		}
		for j, d := range direction {
			out[i][j] = float32(scale * d)
		}
	}
	return out
}

// CapDec learns to caption from embeddings of captions.
type CapDec struct {
	config  CapDecConfig
	network clipcap.Config
	offset  []float32
	learner *train.Learner[noisyPairs]
}

// noisyPairs are pairs with what (1) adds to their embeddings, noise and offset: [B, E].
type noisyPairs struct {
	Pairs
	added [][]float32
}

// NewCapDec prepares to train network, whose variables live in store. It must
// normalise its embeddings, which is the outer norm of (1). offset [E] may be nil.
func NewCapDec(engine compute.Backend, store *model.Store, network clipcap.Config, c CapDecConfig, offset []float32) (*CapDec, error) {
	if err := c.Noise.Validate(); err != nil {
		return nil, err
	}
	if !network.Normalize {
		return nil, fmt.Errorf("capdec: normalize is off, but the noise is measured against embeddings of length 1")
	}
	scopes := trained(&network, c.FreezeGPT)
	m := &CapDec{config: c, network: network, offset: offset}
	var err error
	m.learner, err = train.NewLearner(engine, store, c.Optimizer, scopes, m.loss, m.inputs)
	return m, err
}

// loss is (2) for embeddings of captions [B, E], what is added to them [B, E] and the
// captions [B, T].
func (m *CapDec) loss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	z, added, captions := nn.Unit(inputs[0]), inputs[1], inputs[2]
	if m.config.Noise.Variance > 0 || m.offset != nil {
		z = Add(z, added)
	}
	return loss.Sequence(m.network.Logits(root, z, captions), captions), nil
}

func (m *CapDec) inputs(batch noisyPairs) ([]*tensors.Tensor, error) {
	embeddings, err := matrix(batch.Embeddings)
	if err != nil {
		return nil, err
	}
	added, err := matrix(batch.added)
	if err != nil {
		return nil, err
	}
	captions, err := padded(batch.Captions, m.config.MaxTokens)
	return []*tensors.Tensor{embeddings, added, captions}, err
}

// Step runs one update. Its noise is a function of the seed and the update's number.
func (m *CapDec) Step(ctx context.Context, update int, batch Pairs) (train.Losses, error) {
	rng := rand.New(rand.NewPCG(uint64(m.config.Optimizer.Seed), uint64(update)))
	return m.step(ctx, update, batch, m.config.Noise.Draw(rng, len(batch.Embeddings), m.network.Mapper.ClipWidth))
}

func (m *CapDec) step(ctx context.Context, update int, batch Pairs, noise [][]float32) (train.Losses, error) {
	if m.offset != nil {
		for _, row := range noise {
			for j, v := range m.offset {
				row[j] += v
			}
		}
	}
	return m.learner.Step(ctx, update, noisyPairs{batch, noise})
}

// Loss is the loss of a batch whose embeddings are photos': nothing is added to them.
func (m *CapDec) Loss(batch Pairs) (train.Losses, error) { return m.learner.Loss(m.plain(batch)) }

// Need estimates what updates on batches like this one take.
func (m *CapDec) Need(batch Pairs) (train.Need, error) { return m.learner.Need(m.plain(batch)) }

func (m *CapDec) plain(batch Pairs) noisyPairs {
	nothing := make([][]float32, len(batch.Embeddings))
	for i := range nothing {
		nothing[i] = make([]float32, m.network.Mapper.ClipWidth)
	}
	return noisyPairs{batch, nothing}
}
