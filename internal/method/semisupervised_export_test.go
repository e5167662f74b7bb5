package method

import (
	"context"

	"github.com/cutline-go/cutline/internal/train"
)

// GuessWith is the half of Step that is stage 2, with noise from outside, one caption a
// photo, a temperature and perhaps the embeddings of the captions' texts.
func (m *SemiSupervised) GuessWith(batch PartlyLabelled, noise []float32, tau float32, texts [][]float32) (train.Losses, error) {
	return m.unlabelled.Step(context.Background(), 0, guess{batch, noise, tau, texts})
}

// CaptionsOf are the captions that such an update draws.
func (m *SemiSupervised) CaptionsOf(batch PartlyLabelled, noise []float32, tau float32) ([][]int, error) {
	return m.captions(guess{batch, noise, tau, nil})
}
