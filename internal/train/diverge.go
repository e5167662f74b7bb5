package train

import (
	"fmt"
	"math"
)

// DivergedError tells that a run left the place where it could learn.
type DivergedError struct {
	Update int    // counted from 0
	What   string // happened
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("train: update %d: the run diverged: %s", e.Update, e.What)
}

// trend follows the loss of that name, smoothed. It is part of a checkpoint, so that a
// resumed run judges as one left alone.
type trend struct {
	Seen     int     `json:"seen"`
	Smoothed float64 `json:"smoothed"`
	First    float64 `json:"first"` // the loss of the first update
	Lowest   float64 `json:"lowest"`
}

const (
	window = 20 // updates, of the smoothing
	settle = 5  // updates before the smoothed loss is judged
)

// follow takes in the losses of an update, and tells when they have risen too far.
func (t *trend) follow(losses Losses, share float64, update int) error {
	for _, loss := range losses {
		if loss.Name != "loss" || share == 0 {
			continue
		}
		decay := averageDecay(1-1.0/window, t.Seen)
		t.Smoothed = decay*t.Smoothed + (1-decay)*loss.Value
		t.Seen++
		if t.Seen == 1 {
			t.First, t.Lowest = t.Smoothed, t.Smoothed
		}
		t.Lowest = min(t.Lowest, t.Smoothed)
		if t.Seen > settle && t.above() > share {
			return &DivergedError{update, fmt.Sprintf("its loss rose from %.4g to %.4g", t.Lowest, t.Smoothed)}
		}
	}
	return nil
}

// above is how far the loss stands above its lowest, as a share of the first.
func (t *trend) above() float64 {
	if t.First == 0 {
		return 0
	}
	return (t.Smoothed - t.Lowest) / math.Abs(t.First)
}

// rising tells whether the loss is more than half of the way to where a run is given
// up: no checkpoint is written then, so that the newest is from before.
func (t *trend) rising(share float64) bool { return share > 0 && t.above() > share/2 }
