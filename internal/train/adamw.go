package train

import (
	"math"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/weights"
)

// AdamW is the optimiser of Hugging Face's transformers up to version 4, which
// ClipCap, CapDec, MAGIC and DeCap were trained with. For a gradient g at update t:
//
//	m ← β₁·m + (1−β₁)·g
//	v ← β₂·v + (1−β₂)·g²
//	p ← p − lr·√(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε)
//	p ← p − lr·decay·p
//
// ε stands outside the bias correction, unlike PyTorch's own AdamW. An update at
// learning rate 0, such as the first of a warm-up, still moves m, v and t.
type AdamW struct {
	Beta1       float64 `json:"beta1"`        // 0 to 1; paper and default of transformers: 0.9
	Beta2       float64 `json:"beta2"`        // 0 to 1; transformers: 0.999
	Epsilon     float64 `json:"epsilon"`      // transformers: 1e-6
	WeightDecay float64 `json:"weight_decay"` // per unit of learning rate; transformers: 0

	// DecayMatrices spares gains, biases and other vectors from WeightDecay, as
	// CLIP's training does.
	DecayMatrices bool `json:"decay_matrices"`

	// Undecayed spares tensors from WeightDecay in whose names one of these stands.
	// CgT-GAN: "bias" and "LayerNorm.weight", which are RoBERTa's norms, not GPT-2's.
	Undecayed []string `json:"undecayed,omitempty"`
}

// PaperAdamW is what the ClipCap family trained with: transformers' defaults.
func PaperAdamW() AdamW { return AdamW{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-6} }

// adamwScope holds the moments, beside the networks in the store.
const adamwScope = "adamw"

// stepSize is lr·√(1−β₂ᵗ)/(1−β₁ᵗ) for update t ≥ 1, computed in float64.
func (a AdamW) stepSize(lr float64, t int) float64 {
	return lr * math.Sqrt(1-math.Pow(a.Beta2, float64(t))) / (1 - math.Pow(a.Beta1, float64(t)))
}

// update moves variable v along gradient; stepSize and lr are scalars.
func (a AdamW) update(root *model.Scope, v *model.Variable, gradient, stepSize, lr *Node) {
	g := gradient.Graph()
	m := companion(root, adamwScope+"/m", v)
	s := companion(root, adamwScope+"/v", v)
	first := Add(MulScalar(m.NodeValue(g), a.Beta1), MulScalar(gradient, 1-a.Beta1))
	second := Add(MulScalar(s.NodeValue(g), a.Beta2), MulScalar(Square(gradient), 1-a.Beta2))
	m.SetNodeValue(first)
	s.SetNodeValue(second)

	p := v.NodeValue(g)
	p = Sub(p, Mul(stepSize, Div(first, AddScalar(Sqrt(second), a.Epsilon))))
	if a.decays(v) {
		p = Sub(p, Mul(MulScalar(lr, a.WeightDecay), p))
	}
	v.SetNodeValue(p)
}

func (a AdamW) decays(v *model.Variable) bool {
	name := weights.TensorName(v.Path())
	spared := slices.ContainsFunc(a.Undecayed, func(part string) bool { return strings.Contains(name, part) })
	return a.WeightDecay != 0 && !spared && (!a.DecayMatrices || v.Shape().Rank() > 1)
}

// companion is the variable below scope that belongs to v; it begins at 0 and is
// not trained itself.
func companion(root *model.Scope, scope string, v *model.Variable) *model.Variable {
	c := root.Store().VariableWithShape("/"+scope+v.Path(), v.Shape(), Zeros)
	return c.SetTrainable(false)
}
