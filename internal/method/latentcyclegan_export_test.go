package method

import (
	"context"
	"math/rand/v2"

	"github.com/gomlx/gomlx/ml/model"
)

// MoveGenerators is the first half of a Step.
func (m *LatentCycleGAN) MoveGenerators(batch Unpaired) error {
	_, err := m.Learner.Step(context.Background(), 0, batch)
	return err
}

// MoveDiscriminators is the second half of a Step.
func (m *LatentCycleGAN) MoveDiscriminators(batch Unpaired) error {
	text, photo, err := m.shown(0, batch)
	if err != nil {
		return err
	}
	inputs, err := m.inputs(batch)
	if err != nil {
		return err
	}
	_, err = m.discriminators.Step(0, append(inputs, text, photo)...)
	return err
}

// Pool is a pool with a name that tests can say.
type Pool struct{ pool }

// NewPool makes a pool of that many rows.
func NewPool(store *model.Store, size, width int) (*Pool, error) {
	p, err := newPool(store, "rows", size, width)
	return &Pool{*p}, err
}

// Swap is what a step does to what it generated.
func (p *Pool) Swap(fresh []float32, seen int, rng *rand.Rand) ([]float32, error) {
	return p.swap(fresh, seen, rng)
}
