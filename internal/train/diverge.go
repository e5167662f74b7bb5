package train

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// DivergedError tells that a run left the place where it could learn.
type DivergedError struct {
	Update    int    // counted from 0
	What      string // happened
	Collapsed bool   // a [Collapse] was seen
	Do        string // about it; empty: as when a loss rose
}

func (e *DivergedError) Error() string {
	how := "diverged"
	if e.Collapsed {
		how = "collapsed"
	}
	return fmt.Sprintf("train: update %d: the run %s: %s", e.Update, how, e.What)
}

// Collapse ends a run by a number of its log that falls: how varied what the model makes
// is, say, which is little where it says the same of everything. The zero value ends
// none.
type Collapse struct {
	Name  string  // of the number; empty: there is none
	Least float64 // that the number may be, smoothed over some 20 updates
	After int     // updates that are not judged: a number may begin below
	Do    string  // what there is to do about it, for the message
}

// trend follows a number of the log, smoothed. It is part of a checkpoint, so that a
// resumed run judges as one left alone.
type trend struct {
	Seen     int     `json:"seen"`
	Smoothed float64 `json:"smoothed"`
	First    float64 `json:"first"` // the number of the first update
	Lowest   float64 `json:"lowest"`
}

const (
	window = 20 // updates, of the smoothing
	settle = 5  // updates before the smoothed number is judged
)

// take takes in a number of that name, and tells whether there was one.
func (t *trend) take(losses Losses, name string) bool {
	i := slices.IndexFunc(losses, func(l Loss) bool { return l.Name == name })
	if i < 0 || math.IsNaN(losses[i].Value) {
		return false
	}
	decay := averageDecay(1-1.0/window, t.Seen)
	t.Smoothed = decay*t.Smoothed + (1-decay)*losses[i].Value
	t.Seen++
	if t.Seen == 1 {
		t.First, t.Lowest = t.Smoothed, t.Smoothed
	}
	t.Lowest = min(t.Lowest, t.Smoothed)
	return true
}

// above is how far the number stands above its lowest, as a share of the first.
func (t *trend) above() float64 {
	if t.First == 0 {
		return 0
	}
	return (t.Smoothed - t.Lowest) / math.Abs(t.First)
}

// follow takes in the losses of an update, and tells when the run is to be given up.
func (s *state) follow(p Plan, losses Losses, update int) error {
	rising := cmp.Or(p.Rising, "loss")
	if p.Diverge > 0 && s.Trend.take(losses, rising) && s.Trend.Seen > settle && s.Trend.above() > p.Diverge {
		what := "its loss"
		if p.Rising != "" {
			what = p.Rising
		}
		return &DivergedError{Update: update, What: fmt.Sprintf("%s rose from %.4g to %.4g", what, s.Trend.Lowest, s.Trend.Smoothed)}
	}
	f := p.Collapse
	if f.Name != "" && s.Collapse.take(losses, f.Name) && s.Collapse.Seen > max(f.After, settle) && s.Collapse.Smoothed < f.Least {
		what := fmt.Sprintf("%s fell to %.4g, below %.4g", f.Name, s.Collapse.Smoothed, f.Least)
		return &DivergedError{Update: update, What: what, Collapsed: true, Do: f.Do}
	}
	return nil
}

// doubtful tells whether a number is more than half of the way to where a run is given
// up: no checkpoint is written then, so that the newest is from before.
func (s *state) doubtful(p Plan) bool {
	rising := p.Diverge > 0 && s.Trend.above() > p.Diverge/2
	falling := p.Collapse.Name != "" && s.Collapse.Seen > p.Collapse.After && s.Collapse.Smoothed < 2*p.Collapse.Least
	return rising || falling
}
