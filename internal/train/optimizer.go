package train

import (
	"fmt"
	"math"
)

// Optimizer is how a network is updated.
type Optimizer struct {
	AdamW    AdamW    `json:"adamw"`
	Schedule Schedule `json:"schedule"`
	Updates  int      `json:"updates"`   // of the whole run, where the schedule ends
	ClipNorm float64  `json:"clip_norm"` // bound of the gradient's L2 norm; 0: none, as in ClipCap
	Seed     int64    `json:"seed"`      // of dropout

	// Accumulate computes an update's gradient in that many equal parts of its batch,
	// which then needs the memory of one part; 0 and 1: at once. The gradient is the
	// mean of the parts': a contrastive loss compares within a part alone.
	Accumulate int `json:"accumulate,omitempty"`

	// Average is the decay per update of a running average of the weights, which is
	// then what is scored and exported; 0: none; usual: 0.99 to 0.9999.
	Average float64 `json:"average,omitempty"`
}

// Validate reports the first field without a meaning.
func (o Optimizer) Validate() error {
	switch {
	case o.Updates <= 0:
		return fmt.Errorf("train: updates is %d, want more than 0", o.Updates)
	case o.ClipNorm < 0 || math.IsNaN(o.ClipNorm):
		return fmt.Errorf("train: clip_norm is %g, want 0 or more", o.ClipNorm)
	case o.Accumulate < 0:
		return fmt.Errorf("train: accumulate is %d, want 0 or more", o.Accumulate)
	case !(o.Average >= 0 && o.Average < 1):
		return fmt.Errorf("train: average is %g, want 0 or more and less than 1", o.Average)
	}
	return o.Schedule.Validate()
}
