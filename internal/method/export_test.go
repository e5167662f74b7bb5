package method

import (
	"context"

	"github.com/cutline-go/cutline/internal/train"
)

// StepWithNoise is Step with noise from outside, for comparing with a reference.
func (m *CapDec) StepWithNoise(update int, batch Pairs, noise [][]float32) (train.Losses, error) {
	return m.step(context.Background(), update, batch, noise)
}

// StepSpoiled is Step for sentences [B, T] that were masked outside, with the places
// [B, S] of what is to be told, the words there and which of them count.
func (m *RoBERTa) StepSpoiled(update int, ids, places, words [][]int32, counted [][]float32) (train.Losses, error) {
	return m.learner.Step(context.Background(), update, spoiled{ids, places, words, counted})
}

// Spoiled is what the update with that number reads of a batch.
func (m *RoBERTa) Spoiled(batch Texts, update int) (ids, places, words [][]int32, counted [][]float32) {
	s := m.spoil(batch, uint64(update))
	return s.ids, s.places, s.words, s.counted
}

// LeaveOneOut is SCST's equation (2).
var LeaveOneOut = leaveOneOut
