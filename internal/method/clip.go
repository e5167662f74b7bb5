package method

// CLIP (Radford et al. 2021, arXiv:2103.00020), the contrastive objective of its
// figure 3, for the images xᵢ and texts tᵢ of one batch:
//
//	(1)  s_ij = e^τ · cos(f(xᵢ), g(tⱼ))
//	(2)  L = ½ [ −mean_i log softmax_j(s_ij)|_{j=i} − mean_j log softmax_i(s_ij)|_{i=j} ]
//
// As in the paper, the scale e^τ is kept from growing past 100.

import (
	"context"
	"fmt"
	"math"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/train"
)

// CLIP learns both towers from photos and their captions.
type CLIP struct {
	network clip.Config
	store   *model.Store
	updater *train.Updater
}

// NewCLIP prepares to train network, whose variables live in store below clip.Scope.
func NewCLIP(engine compute.Backend, store *model.Store, network clip.Config, o train.Optimizer) (*CLIP, error) {
	m := &CLIP{network: network, store: store}
	var err error
	m.updater, err = train.NewUpdater(engine, store, o, []string{clip.Scope}, m.loss)
	return m, err
}

// loss is equation (2) for pixels [B, 3·S·S] and token ids [B, T].
func (m *CLIP) loss(root *model.Scope, inputs []*Node) (*Node, []train.Part) {
	scope, size := root.At(clip.Scope), m.network.Vision.ImageSize
	pixels := Reshape(inputs[0], inputs[0].Shape().Dim(0), 3, size, size)
	image, text := m.network.EncodeImage(scope, pixels), m.network.EncodeText(scope, inputs[1])
	return loss.Contrastive(m.network.Logits(scope, image, text)), nil
}

// Step runs one update.
func (m *CLIP) Step(_ context.Context, update int, batch Photos) (train.Losses, error) {
	pixels, err := matrix(batch.Pixels)
	if err != nil {
		return nil, err
	}
	captions, err := matrix(batch.Captions)
	if err != nil {
		return nil, err
	}
	losses, err := m.updater.Step(update, pixels, captions)
	if err != nil {
		return nil, err
	}
	return losses, m.limitScale()
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
