package method

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/cutline-go/cutline/internal/train"
)

// move runs the passes over episodes, in minibatches of an order that the seed and the
// update draw, and returns the means of what they give.
func (m *ESPER) move(ctx context.Context, update int, e episodes) (train.Losses, error) {
	rng := rand.New(rand.NewPCG(uint64(m.config.Optimizer.Seed), uint64(update)))
	size, steps := len(e.photos)/m.config.Minibatches, m.config.Minibatches*m.config.Passes
	var mean train.Losses
	step := update * steps
	for range m.config.Passes {
		for rows := range slices.Chunk(rng.Perm(len(e.photos)), size) {
			part := e.of(rows)
			losses, err := m.policy.Step(ctx, step, part)
			if err != nil {
				return nil, err
			}
			values, err := m.value.Step(ctx, step, part)
			if err != nil {
				return nil, err
			}
			step++
			losses = append(losses, train.Loss{Name: "value_loss", Value: values[0].Value}, train.Loss{Name: "value_gradient_norm", Value: values[1].Value})
			if mean == nil {
				mean = make(train.Losses, len(losses))
			}
			for i, l := range losses {
				mean[i].Name = l.Name
				mean[i].Value += l.Value / float64(steps)
			}
		}
	}
	return mean, nil
}

// of is the episodes of some rows.
func (e episodes) of(rows []int) episodes {
	return episodes{
		photos: taken(e.photos, rows), tokens: taken(e.tokens, rows), counted: taken(e.counted, rows), logProb: taken(e.logProb, rows),
		value: taken(e.value, rows), advantage: taken(e.advantage, rows), target: taken(e.target, rows), learns: e.learns,
	}
}

func taken[T any](list []T, rows []int) []T {
	out := make([]T, len(rows))
	for j, i := range rows {
		out[j] = list[i]
	}
	return out
}

// Need estimates what an update on such a batch takes at the most.
func (m *ESPER) Need(batch Prompted) (train.Need, error) {
	n := len(batch.Photos) / m.config.Minibatches
	length := m.config.PromptTokens + m.config.Tokens
	zeros, tokens := make([][]float32, n), make([][]int32, n)
	for i := range n {
		zeros[i], tokens[i] = make([]float32, length), make([]int32, length)
	}
	e := episodes{photos: batch.Photos[:n], tokens: tokens, counted: zeros, logProb: zeros, value: zeros, advantage: zeros, target: zeros}
	v, err := m.value.Need(e)
	if err != nil {
		return v, err
	}
	p, err := m.policy.Need(e)
	p.Parameters, p.Weights = max(p.Parameters, v.Parameters), max(p.Weights, v.Weights)
	p.Trained, p.Moments, p.Work = p.Trained+v.Trained, p.Moments+v.Moments, max(p.Work, v.Work)
	return p, err
}
