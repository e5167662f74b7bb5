package method

// CLIP (Radford et al. 2021, arXiv:2103.00020), the contrastive objective of its
// figure 3, for the images xᵢ and texts tᵢ of one batch:
//
//	(1)  s_ij = e^τ · cos(f(xᵢ), g(tⱼ))
//	(2)  L = ½ [ −mean_i log softmax_j(s_ij)|_{j=i} − mean_j log softmax_i(s_ij)|_{i=j} ]
//
// As in the paper, the scale e^τ is kept from growing past 100.
//
// Few photos teach more when they are also to be described, as in CoCa (Yu et al.
// 2022, arXiv:2205.01917, equation 4), here by ClipCap's network on the photo's
// embedding, of which L_ClipCap is the loss:
//
//	(3)  L + λ · L_ClipCap
//
// Or they are to tell the words of their captions, as in SuperClass (Huang et al. 2024,
// arXiv:2411.03313, equations 1 and 2), here those that people agree on: z_i is a linear layer
// on f(xᵢ), n_iv the number of captions of photo i that say token v, s_v its scarcity among the
// photos, and y_iv ∝ (n_iv − 1) s_v where any says it, all of a photo adding up to 1:
//
//	(4)  L + κ · L_words
//	(5)  L_words = −mean_i Σ_v y_iv log softmax_v(z_i)
//
// And photos may be mixed (Zhang et al. 2018, arXiv:1710.09412): photo i is then (1−μ) xᵢ + μ xⱼ
// with j = B−1−i, and so are its targets: text i by 1−μ and text j by μ.

import (
	"context"
	"fmt"
	"math"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/train"
)

// Captioning is the second half of equation (3).
type Captioning struct {
	Weight    float64        // λ
	Network   clipcap.Config // trained along, in its own scopes
	MaxTokens int            // longer captions are cut
}

// CLIP learns both towers from photos and their captions.
type CLIP struct {
	*train.Learner[Photos]
	network    clip.Config
	captioning *Captioning
	words      *Classification
	store      *model.Store
}

// NewCLIP prepares to train network, whose variables live in store below clip.Scope,
// by equation (2), with what equation (3) adds if captioning is not nil, and with what (4)
// adds if words is not nil.
func NewCLIP(engine compute.Backend, store *model.Store, network clip.Config, captioning *Captioning, words *Classification, o train.Optimizer) (*CLIP, error) {
	m := &CLIP{network: network, captioning: captioning, words: words, store: store}
	scopes := []string{clip.Scope}
	if captioning != nil {
		scopes = append(scopes, clipcap.MapperScope, clipcap.GPTScope)
	}
	if words != nil {
		scopes = append(scopes, WordsScope)
	}
	var err error
	m.Learner, err = train.NewLearner(engine, store, o, scopes, m.loss, m.inputs)
	return m, err
}

// loss is equation (2), (3) or (4) for pixels [B, 3·S·S], token ids [B, T] of CLIP's
// tokenizer, μ and, for (3), the language model's token ids, for (4), y.
func (m *CLIP) loss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	scope, size := root.At(clip.Scope), m.network.Vision.ImageSize
	pixels := Reshape(inputs[0], inputs[0].Shape().Dim(0), 3, size, size)
	image, text := m.network.EncodeImage(scope, pixels), m.network.EncodeText(scope, inputs[1])
	total := loss.MixedContrastive(m.network.Logits(scope, image, text), inputs[2])
	parts, inputs := []train.Part{{Name: "contrastive", Node: total}}, inputs[3:]
	add := func(name string, weight float64, part *Node) {
		total, parts, inputs = Add(total, MulScalar(part, weight)), append(parts, train.Part{Name: name, Node: part}), inputs[1:]
	}
	if c := m.captioning; c != nil {
		add("captioning", c.Weight, loss.Sequence(c.Network.Logits(root, image, inputs[0]), inputs[0]))
	}
	if w := m.words; w != nil {
		add("words", w.Weight, w.loss(root, image, inputs[0]))
	}
	if len(parts) == 1 {
		parts = nil // it is the loss
	}
	return total, parts
}

func (m *CLIP) inputs(batch Photos) ([]*tensors.Tensor, error) {
	pixels, err := matrix(mixed(batch.Pixels, batch.Mix))
	if err != nil {
		return nil, err
	}
	length := m.length(batch)
	texts, err := matrix(trimmed(batch.Texts, length))
	if err != nil {
		return nil, err
	}
	inputs := []*tensors.Tensor{pixels, texts, tensors.FromScalar(batch.Mix)}
	if m.captioning != nil {
		captions, err := paddedTo(batch.Captions, min(length, m.captioning.MaxTokens))
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, captions)
	}
	if m.words != nil {
		shares, err := m.words.inputs(batch)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, shares)
	}
	return inputs, nil
}

// Step runs one update.
func (m *CLIP) Step(ctx context.Context, update int, batch Photos) (train.Losses, error) {
	losses, err := m.Learner.Step(ctx, update, batch)
	if err != nil {
		return nil, err
	}
	return losses, m.limitScale()
}

// textStep is the granularity of the texts' length. It is one for both tokenizers, and
// coarse: each is a graph of its own, and one through an image tower takes gigabytes.
const textStep = 16

// length is the length that holds both readings of all captions of a batch.
func (m *CLIP) length(batch Photos) int {
	longest := longestOf(batch.Captions)
	for _, text := range batch.Texts {
		longest = max(longest, len(withoutPadding(text)))
	}
	return steps(longest, textStep)
}

// trimmed cuts texts [B, T] of CLIP's tokenizer to length; what it cuts is padding,
// which the text tower never sees.
func trimmed(texts [][]int32, length int) [][]int32 {
	short := make([][]int32, len(texts))
	for i, text := range texts {
		short[i] = text[:min(len(text), length)]
	}
	return short
}

// withoutPadding cuts the zeros behind the end token, which is not 0.
func withoutPadding(text []int32) []int32 {
	for len(text) > 1 && text[len(text)-1] == 0 {
		text = text[:len(text)-1]
	}
	return text
}

// limitScale brings τ back to ln 100 where the update left it above.
func (m *CLIP) limitScale() error {
	v := m.store.GetVariable(model.JoinPath("/", clip.Scope, "logit_scale"))
	value, err := v.Value()
	if err != nil {
		return fmt.Errorf("method: logit_scale: %w", err)
	}
	if limit := float32(math.Log(100)); tensors.ToScalar[float32](value) > limit {
		return v.SetValue(tensors.FromScalar(limit))
	}
	return nil
}
