package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
)

// Val is how a run is judged while it goes on, by data that it does not learn from.
type Val struct {
	Every    int    // updates between evaluations; the last update is judged as well; 0: none
	Select   string // the score by which the best weights are chosen; empty: the last ones
	Higher   bool   // more of that score is better
	Patience int    // evaluations without a better one that end the run; 0: it goes on

	// Evaluate scores the weights in the store, averaged where they are. It must be a
	// function of those weights. ctx ends it.
	Evaluate func(ctx context.Context) (Evaluation, error)
}

func (v Val) validate() error {
	switch {
	case v.Every < 0 || v.Patience < 0:
		return fmt.Errorf("train: val: every is %d and patience %d, want 0 or more", v.Every, v.Patience)
	case v.Every == 0 && (v.Select != "" || v.Patience > 0):
		return errors.New("train: val: select or patience without every")
	case v.Select == "" && v.Patience > 0:
		return errors.New("train: val: patience without select, a score to be patient about")
	}
	return nil
}

// Evaluation is what a look at a run gives.
type Evaluation struct {
	Scores  Losses
	Samples []Sample // what the model says now
	Best    bool     // by the score that selects; set by [Loop]
}

// Sample is a text that the model made.
type Sample struct {
	Of   string `json:"of,omitempty"` // a photo's name, or a beginning
	Text string `json:"text"`
}

// Outcome is how a run ended.
type Outcome struct {
	Updates     int     `json:"updates"`               // made
	Chosen      int     `json:"chosen"`                // the update whose weights were taken, counted from 1
	By          string  `json:"by,omitempty"`          // the score that chose; empty: they are the last
	Score       float64 `json:"score,omitempty"`       // of the chosen
	Evaluations int     `json:"evaluations,omitempty"` // that it was chosen from
	Early       bool    `json:"early,omitempty"`       // the run ended for want of better scores
}

// selection is the part of a checkpoint that tells what was chosen so far.
type selection struct {
	Best        int     `json:"best,omitempty"` // update of the best weights; 0: none yet
	Score       float64 `json:"score,omitempty"`
	Evaluations int     `json:"evaluations,omitempty"`
	Since       int     `json:"since,omitempty"` // evaluations since the best
}

// take counts an evaluation and tells whether it is the best so far.
func (s *selection) take(v Val, scores Losses, update int) (bool, error) {
	s.Evaluations++
	if v.Select == "" {
		return false, nil
	}
	i := slices.IndexFunc(scores, func(l Loss) bool { return l.Name == v.Select })
	if i < 0 {
		names := make([]string, len(scores))
		for j, l := range scores {
			names[j] = l.Name
		}
		return false, fmt.Errorf("train: val: select is %q, want one of %q", v.Select, names)
	}
	score := scores[i].Value
	if s.Best > 0 && (v.Higher && score <= s.Score || !v.Higher && score >= s.Score) {
		s.Since++
		return false, nil
	}
	s.Best, s.Score, s.Since = update, score, 0
	return true, nil
}

// over tells whether a run has no update left to make.
func (s state) over(p Plan) bool {
	return s.Updates >= p.Updates || p.Val.Patience > 0 && s.Selection.Since >= p.Val.Patience
}

// judge evaluates the weights and logs what came out.
func (r *run) judge(ctx context.Context) (*Evaluation, error) {
	var e Evaluation
	err := WithAverage(r.store, func() (err error) {
		e, err = r.plan.Val.Evaluate(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, score := range e.Scores {
		if math.IsNaN(score.Value) || math.IsInf(score.Value, 0) {
			return nil, &DivergedError{Update: r.state.Updates - 1, What: fmt.Sprintf("%s is %g", score.Name, score.Value)}
		}
	}
	if e.Best, err = r.state.Selection.take(r.plan.Val, e.Scores, r.state.Updates); err != nil {
		return nil, err
	}
	return &e, r.log.evaluation(r.state.Updates, e)
}

// outcome gives the store the weights that were chosen.
func (r *run) outcome() (Outcome, error) {
	s := r.state.Selection
	out := Outcome{Updates: r.state.Updates, Chosen: r.state.Updates, Evaluations: s.Evaluations}
	out.Early = r.state.Updates < r.plan.Updates
	if s.Best == 0 {
		return out, nil
	}
	out.Chosen, out.By, out.Score = s.Best, r.plan.Val.Select, s.Score
	if s.Best == r.state.Updates {
		return out, nil
	}
	return out, restore(filepath.Join(checkpointPath(r.plan.Dir, s.Best), tensorsFile), r.store)
}
