package method

import (
	"context"

	"github.com/cutline-go/cutline/internal/train"
)

// StepWithNoise is Step with noise from outside, for comparing with a reference.
func (m *CapDec) StepWithNoise(update int, batch Pairs, noise [][]float32) (train.Losses, error) {
	return m.step(context.Background(), update, batch, noise)
}
