package method

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/train"
)

// Step runs one update, of the stage that its number is of. The log has the numbers of
// both stages; those of the other one are left out.
func (m *SemiSupervised) Step(ctx context.Context, update int, batch PartlyLabelled) (train.Losses, error) {
	if m.config.Stages.First(update) {
		losses, err := m.supervised.Step(ctx, update, batch.Pairs)
		if err != nil {
			return nil, err
		}
		return table(append(losses, train.Loss{Name: "stage", Value: 1}, train.Loss{Name: "cross_entropy", Value: losses[0].Value})), nil
	}
	drawn, err := m.guess(ctx, update, batch)
	if err != nil {
		return nil, err
	}
	losses, err := m.unlabelled.Step(ctx, update, drawn)
	if err != nil {
		return nil, err
	}
	return table(append(losses, train.Loss{Name: "stage", Value: 2}, train.Loss{Name: "tau", Value: float64(drawn.tau)})), nil
}

// table puts losses in the order of the log, whose columns are the same for both stages.
func table(losses train.Losses) train.Losses {
	var out train.Losses
	for _, name := range []string{"loss", "stage", "cross_entropy", "similarity", "margin", "length", "distinct", "tau", "gradient_norm", "learning_rate"} {
		l := train.Loss{Name: name, Value: math.NaN()}
		if i := slices.IndexFunc(losses, func(l train.Loss) bool { return l.Name == name }); i >= 0 {
			l = losses[i]
		}
		out = append(out, l)
	}
	return out
}

// Loss is (1) of a batch.
func (m *SemiSupervised) Loss(batch Pairs) (train.Losses, error) { return m.supervised.Loss(batch) }

// Need estimates what updates of stage 2 on batches like this one take, or of stage 1
// where there is no other.
func (m *SemiSupervised) Need(batch PartlyLabelled) (train.Need, error) {
	if m.config.Stages.Unlabelled == 0 {
		return m.supervised.Need(batch.Pairs)
	}
	g := m.chance(0, batch)
	if m.config.Bridge == BridgeText {
		g.texts = g.Photos
	}
	return m.unlabelled.Need(g)
}

// chance draws what an update of stage 2 takes, a function of the seed and its number.
func (m *SemiSupervised) chance(update int, batch PartlyLabelled) guess {
	g := guess{PartlyLabelled: batch}
	g.Photos = nil
	for _, photo := range batch.Photos {
		g.Photos = append(g.Photos, slices.Repeat([][]float32{photo}, m.config.Samples)...)
	}
	rng := rand.New(rand.NewPCG(uint64(m.config.Optimizer.Seed), uint64(update)))
	g.noise = gumbel(rng, len(g.Photos)*m.config.Length*m.network.GPT.VocabSize)
	part := float64(update) / float64(max(1, m.config.Optimizer.Updates-1))
	g.tau = float32(m.config.TauFrom + part*(m.config.TauTo-m.config.TauFrom))
	return g
}

// guess prepares an update of stage 2.
func (m *SemiSupervised) guess(ctx context.Context, update int, batch PartlyLabelled) (guess, error) {
	g := m.chance(update, batch)
	if m.config.Bridge != BridgeText {
		return g, nil
	}
	captions, err := m.captions(g)
	if err != nil {
		return g, err
	}
	g.texts, err = m.reader.Texts(ctx, captions)
	return g, err
}

// captions are the tokens that an update of stage 2 will draw.
func (m *SemiSupervised) captions(g guess) ([][]int, error) {
	photos, err := matrix(g.Photos)
	if err != nil {
		return nil, err
	}
	out, err := m.writer.Call(photos, m.noise(g), g.tau)
	if err != nil {
		return nil, fmt.Errorf("semi-supervised: %w", err)
	}
	flat, err := tensors.CopyFlatData[int32](out[0])
	if err != nil {
		return nil, fmt.Errorf("semi-supervised: %w", err)
	}
	var captions [][]int
	for row := range slices.Chunk(flat, m.config.Length) {
		var ids []int
		for _, id := range row {
			if id >= 0 {
				ids = append(ids, int(id))
			}
		}
		captions = append(captions, ids)
	}
	return captions, nil
}

// write draws captions of photos [N, E]: their tokens [N, L], −1 behind the last.
func (m *SemiSupervised) write(root *model.Scope, inputs []*Node) []*Node {
	d := m.draw(root, inputs[0], inputs[1], inputs[2])
	kept := ConvertDType(d.kept, d.ids.DType())
	return []*Node{Sub(Mul(OnePlus(d.ids), kept), OnesLike(kept))}
}

func (m *SemiSupervised) noise(g guess) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(g.noise, len(g.Photos), m.config.Length, m.network.GPT.VocabSize)
}

func (m *SemiSupervised) pairs(batch Pairs) ([]*tensors.Tensor, error) {
	embeddings, err := matrix(batch.Embeddings)
	if err != nil {
		return nil, err
	}
	captions, err := padded(batch.Captions, m.config.MaxTokens)
	return []*tensors.Tensor{embeddings, captions}, err
}

func (m *SemiSupervised) inputs(g guess) ([]*tensors.Tensor, error) {
	inputs, err := m.pairs(g.Pairs)
	if err != nil {
		return nil, err
	}
	photos, err := matrix(g.Photos)
	if err != nil {
		return nil, err
	}
	inputs = append(inputs, photos, m.noise(g), tensors.FromScalar(g.tau))
	if g.texts != nil {
		texts, err := matrix(g.texts)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, texts)
	}
	return inputs, nil
}
