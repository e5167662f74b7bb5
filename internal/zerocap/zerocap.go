// Package zerocap lets a language model and a CLIP that were never trained together
// caption photos (ZeroCap: Tewel, Shalev, Schwartz and Wolf 2022, arXiv:2111.14447). For
// each token of a text the keys and values C of the tokens before it are shifted by Δ,
// which begins at 0 and follows the gradient of CLIP's opinion for n steps:
//
//	(1)  p = LM(C + Δ),  p₀ = LM(C)
//	(2)  q(v) = softmax_v(cos(photo, text·v)/τ)  over the k most probable v of p, else 0
//	(3)  L = −Σ_v q(v)·log p(v) + λ·KL(p ‖ p₀)
//	(4)  Δ ← Δ − α·g/‖g‖^γ  for each layer's keys, and its values, with their gradient g
//	(5)  p* ∝ p'^φ · p₀^(1−φ)
//
// p' is p with edited logits: a stop token is made less probable at first, more probable
// later. p* is what a beam search reads (package decode), whose texts CLIP orders in the
// end. Nothing is trained, and Δ is forgotten with each token.
package zerocap

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/gpt2"
)

// Config is what the search can be told.
type Config struct {
	Steps       int     // n, of the gradient; paper: 5
	StepSize    float64 // α; paper: 0.3
	NormPower   float64 // γ; paper: 0.9
	KL          float64 // λ; paper: 0.2
	Temperature float64 // τ; paper: 0.01
	Candidates  int     // k; paper: 512
	Fusion      float64 // φ; paper: 0.99
	EndFactor   float64 // of the logit of a stop token from the second token on; paper: 1.01
	StartFactor float64 // that it is divided by at the first; paper: 1.6
}

// Paper is the configuration of ZeroCap's code.
func Paper() Config {
	return Config{
		Steps: 5, StepSize: 0.3, NormPower: 0.9, KL: 0.2, Temperature: 0.01, Candidates: 512,
		Fusion: 0.99, EndFactor: 1.01, StartFactor: 1.6,
	}
}

// PaperArithmetic is that of its code for sums of photos.
func PaperArithmetic() Config {
	c := Paper()
	c.NormPower, c.Fusion, c.EndFactor = 0.95, 0.95, 1.06
	return c
}

// Validate reports the first field without a meaning.
func (c Config) Validate() error {
	finite := func(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }
	switch {
	case c.Steps < 0 || c.Candidates < 1:
		return fmt.Errorf("zerocap: %d steps with %d candidates, want 0 or more of the former and 1 or more of the latter", c.Steps, c.Candidates)
	case !finite(c.StepSize) || !finite(c.NormPower) || !finite(c.KL):
		return fmt.Errorf("zerocap: step size %g, norm power %g and KL weight %g, want 0 or more", c.StepSize, c.NormPower, c.KL)
	case !(c.Temperature > 0) || !(c.EndFactor > 0) || !(c.StartFactor > 0):
		return fmt.Errorf("zerocap: temperature %g, end factor %g and start factor %g, want more than 0", c.Temperature, c.EndFactor, c.StartFactor)
	case !(c.Fusion >= 0 && c.Fusion <= 1):
		return fmt.Errorf("zerocap: fusion is %g, want 0 to 1", c.Fusion)
	}
	return nil
}

// network is the language model below clipcap.GPTScope, frozen.
type network struct {
	gpt    gpt2.Config
	config Config
}

func scope(root *model.Scope) *model.Scope { return root.At(clipcap.GPTScope).At("transformer") }

// plain reads texts [N, M] up to a position: the logits after it [N, V], which are those
// of p₀, and the keys and values of all layers [N, H, M, d].
func (n network) plain(root *model.Scope, inputs []*Node) []*Node {
	texts, position := inputs[0], inputs[1]
	hidden, kv := n.gpt.Hidden(scope(root), n.gpt.Embed(scope(root), texts))
	at := InsertAxes(OneHot(position, texts.Shape().Dim(1), hidden.DType()), 0, -1)
	return append([]*Node{n.gpt.Logits(scope(root), ReduceSum(Mul(hidden, at), 1))}, flatten(kv)...)
}

// shifted reads the tokens [N] at a position after C + Δ: the logits of p [N, V]. Its
// inputs are the tokens, the position, C and Δ.
func (n network) shifted(root *model.Scope, inputs []*Node) *Node {
	past := make([]gpt2.KV, n.gpt.Layers)
	c, delta := inputs[2:2+2*len(past)], inputs[2+2*len(past):]
	for i := range past {
		past[i] = gpt2.KV{Keys: Add(c[2*i], delta[2*i]), Values: Add(c[2*i+1], delta[2*i+1])}
	}
	hidden, _ := n.gpt.Next(scope(root), n.gpt.Embed(scope(root), InsertAxes(inputs[0], -1)), inputs[1], past)
	return n.gpt.Logits(scope(root), Reshape(hidden, hidden.Shape().Dim(0), n.gpt.Width))
}

// descend is (3) and (4): Δ after one step. Its inputs are q and the logits of p₀, [N, V]
// each, and those of shifted.
func (n network) descend(root *model.Scope, inputs []*Node) []*Node {
	q, logits, inputs := inputs[0], inputs[1], inputs[2:]
	delta := inputs[2+2*n.gpt.Layers:]
	logP, logP0 := LogSoftmax(n.shifted(root, inputs), -1), LogSoftmax(logits, -1)
	loss := Sub(
		MulScalar(ReduceAllSum(Mul(Exp(logP), Sub(logP, logP0))), n.config.KL),
		ReduceAllSum(Mul(q, logP)))
	moved := make([]*Node, len(delta))
	for i, g := range Gradient(loss, delta...) {
		// Each text by itself: texts do not know of each other.
		length := Sqrt(ReduceAndKeep(Square(g), ReduceSum, 1, 2, 3))
		power := Exp(MulScalar(Log(AddScalar(length, 1e-15)), n.config.NormPower))
		moved[i] = Sub(delta[i], MulScalar(Div(g, power), n.config.StepSize))
	}
	return moved
}

func flatten(kv []gpt2.KV) []*Node {
	var out []*Node
	for _, layer := range kv {
		out = append(out, layer.Keys, layer.Values)
	}
	return out
}
