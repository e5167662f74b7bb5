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

// StepGenerator is the generator's half of Step, for captions from outside with their
// advantages.
func (m *CgTGAN) StepGenerator(update int, batch Pairs, clip, natural []float32, w float64) (train.Losses, error) {
	return m.g.Step(context.Background(), update, spoken{batch, clip, natural, w})
}

// StepDiscriminator is the discriminator's half of Step.
func (m *CgTGAN) StepDiscriminator(update int, sentences, captions []string) (train.Losses, error) {
	return m.d.Step(context.Background(), update, shown{sentences, captions})
}

// Texts are what the captions that an update draws for photos are read as.
func (m *CgTGAN) Texts(update int, photos [][]float32) ([]string, error) {
	c, err := m.say(context.Background(), update, photos)
	return c.texts(m.words.Say, 0), err
}

// Advantages compares the rewards of samples, each photo's greedy one last.
func (m *CgTGAN) Advantages(rewards [][]float64) []float32 { return m.advantages(rewards) }

// Episodes are texts as ESPER learns from them; see [episodes].
type Episodes struct {
	Photos                                                [][]float32
	Tokens                                                [][]int32
	Counted, LogProb, Reference, Value, Advantage, Target [][]float32
	Learns                                                float32
}

func (e Episodes) inside() episodes {
	return episodes{e.Photos, e.Tokens, e.Counted, e.LogProb, e.Reference, e.Value, e.Advantage, e.Target, e.Learns}
}

// StepPolicy moves the mapper once by episodes.
func (m *ESPER) StepPolicy(update int, e Episodes) (train.Losses, error) {
	return m.policy.Step(context.Background(), update, e.inside())
}

// StepValue moves the value model once by episodes.
func (m *ESPER) StepValue(update int, e Episodes) (train.Losses, error) {
	return m.value.Step(context.Background(), update, e.inside())
}

// Observe is what both models and the language model make of texts.
func (m *ESPER) Observe(batch Prompted, texts [][]int) (Episodes, error) {
	e, err := m.observe(batch, texts)
	return Episodes{e.photos, e.tokens, e.counted, e.logProb, e.reference, e.value, e.advantage, e.target, e.learns}, err
}

// Written are the texts that an update draws.
func (m *ESPER) Written(update int, batch Prompted) ([][]int, error) {
	return m.write(context.Background(), update, batch)
}
