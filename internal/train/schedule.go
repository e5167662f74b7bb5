package train

import (
	"fmt"
	"math"
)

// Decay is what the learning rate does after its warm-up.
type Decay string

// Linear falls to 0 at the end, as in ClipCap; Constant stays, as in CgT-GAN;
// Cosine falls to 0 along half a cosine, as in CLIP.
const (
	Linear   Decay = "linear"
	Constant Decay = "constant"
	Cosine   Decay = "cosine"
)

// Schedule gives the learning rate of every update.
type Schedule struct {
	LearningRate float64 `json:"learning_rate"` // peak; ClipCap: 2e-5
	Warmup       int     `json:"warmup"`        // updates to the peak; ClipCap: 5000
	Decay        Decay   `json:"decay"`         // ClipCap: linear

	// Hold is the share of the updates after the warm-up that stay at the peak before
	// the rate decays, 0 to 1; CycleGAN: 0.5, with a linear decay.
	Hold float64 `json:"hold,omitempty"`
}

// Validate reports the first field without a meaning.
func (s Schedule) Validate() error {
	switch {
	case !(s.LearningRate > 0) || math.IsInf(s.LearningRate, 0):
		return fmt.Errorf("train: learning_rate is %g, want more than 0", s.LearningRate)
	case s.Warmup < 0:
		return fmt.Errorf("train: warmup is %d, want 0 or more", s.Warmup)
	case !(s.Hold >= 0 && s.Hold < 1):
		return fmt.Errorf("train: hold is %g, want 0 or more and less than 1", s.Hold)
	case s.Decay != Linear && s.Decay != Constant && s.Decay != Cosine:
		return fmt.Errorf("train: decay is %q, want %q, %q or %q", s.Decay, Linear, Constant, Cosine)
	}
	return nil
}

// Rate is the learning rate of the update with index step (from 0) of total: the
// very first update of a warm-up runs at 0.
func (s Schedule) Rate(step, total int) float64 {
	if step < s.Warmup {
		return s.LearningRate * float64(step) / float64(s.Warmup)
	}
	left := max(0, float64(total-step)/(float64(max(1, total-s.Warmup))*(1-s.Hold)))
	left = min(1, left)
	switch s.Decay {
	case Linear:
		return s.LearningRate * left
	case Cosine:
		return s.LearningRate * (1 - math.Cos(math.Pi*left)) / 2
	default:
		return s.LearningRate
	}
}
