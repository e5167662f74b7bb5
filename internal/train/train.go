// Package train runs a method over its batches: the loop, AdamW, schedules,
// checkpoints, selection and the logs. It knows no method and no data set.
package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gomlx/gomlx/ml/model"
)

// Method learns from batches of one type.
type Method[B any] interface {
	// Step runs the update with that number, counted from 0. It is a function of the
	// store, the number and the batch alone. A loss that is no number is a
	// *[DivergedError].
	Step(ctx context.Context, update int, batch B) (Losses, error)
}

// Plan is how a run goes.
type Plan struct {
	Dir       string // where checkpoints and logs lie; created if need be
	Config    []byte // the resolved configuration, JSON: another one may not resume the run
	Updates   int    // of the whole run
	SaveEvery int    // updates between checkpoints
	LogEvery  int    // updates between lines of the log
	Examples  int    // in a batch, for the rate

	// Diverge is how far the loss, smoothed over some 20 updates, may rise above its
	// lowest before the run is given up, as a share of what it was in the beginning.
	// 0: however far.
	Diverge float64
	Rising  string // the number that Diverge is about in the place of the loss, which two players pull both ways; empty: the loss

	Collapse Collapse // what else ends the run

	Val Val // how the run is judged; the zero value: it is not
}

func (p Plan) validate() error {
	if p.SaveEvery <= 0 || p.LogEvery <= 0 {
		return fmt.Errorf("train: a plan that saves every %d and logs every %d updates", p.SaveEvery, p.LogEvery)
	}
	return p.Val.validate()
}

// Loop runs method from the newest checkpoint on: until the plan's last update, or
// until its patience is over. Then store holds the weights that the plan selects.
//
// batch gives the batch of an update, counted from 0; it is called ahead of time from
// another goroutine, in order, and must be a function of the number alone. A run that
// is killed and started again ends with the same bits as one left alone. When ctx is
// done, the updates that were made are saved.
func Loop[B any](ctx context.Context, p Plan, store *model.Store, method Method[B], batch func(update int) (B, error), report func(Progress)) (Outcome, error) {
	if err := p.validate(); err != nil {
		return Outcome{}, err
	}
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return Outcome{}, fmt.Errorf("train: %w", err)
	}
	r := &run{plan: p, store: store, report: report}
	var err error
	if r.state, err = loadCheckpoint(p.Dir, store, p.digest()); err != nil {
		return Outcome{}, p.explain(err)
	}
	if err := p.writeConfig(); err != nil {
		return Outcome{}, err
	}
	if r.log, err = openJournal(p.Dir, r.state.Updates, p.Val.Every > 0); err != nil {
		return Outcome{}, err
	}
	defer r.log.close()
	r.begin()
	if !r.state.over(p) {
		if err := train(ctx, r, method, batch); err != nil {
			return Outcome{}, err
		}
	}
	return r.outcome()
}

// train makes the updates that are left.
func train[B any](ctx context.Context, r *run, method Method[B], batch func(int) (B, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	batches := ahead(ctx, r.state.Updates, r.plan.Updates, batch)
	defer func() {
		cancel()
		for range batches { // what batches are made from may be closed after this
		}
	}()
	for next := range batches {
		if next.err != nil {
			return next.err
		}
		losses, err := method.Step(ctx, r.state.Updates, next.batch)
		if err == nil {
			err = r.after(ctx, losses)
		}
		if err != nil {
			return r.explain(err)
		}
		if r.state.over(r.plan) {
			return nil
		}
	}
	if r.state.doubtful(r.plan) {
		return ctx.Err()
	}
	return errors.Join(ctx.Err(), r.save())
}

type prepared[B any] struct {
	batch B
	err   error
}

// ahead prepares batches while the one before is trained on.
func ahead[B any](ctx context.Context, from, to int, batch func(int) (B, error)) <-chan prepared[B] {
	const depth = 4
	out := make(chan prepared[B], depth)
	go func() {
		defer close(out)
		for update := from; update < to; update++ {
			b, err := batch(update)
			select {
			case out <- prepared[B]{b, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return out
}

// run is a loop under way.
type run struct {
	plan   Plan
	store  *model.Store
	report func(Progress)
	log    *journal
	state  state
	saved  int // the update of the newest checkpoint

	start         time.Time
	first         int       // update that this process began at
	logged        time.Time // when the log's last line was written
	loggedUpdates int
}

func (r *run) begin() {
	r.first, r.saved, r.loggedUpdates = r.state.Updates, r.state.Updates, r.state.Updates
	r.start = time.Now()
	r.logged = r.start
}

// after does what follows an update: it logs, judges, saves and reports.
func (r *run) after(ctx context.Context, losses Losses) error {
	r.state.Updates++
	done, last := r.state.Updates, r.state.Updates == r.plan.Updates
	if err := r.state.follow(r.plan, losses, done-1); err != nil {
		return err
	}
	due := r.plan.Val.Every > 0 && (done%r.plan.Val.Every == 0 || last)
	if done%r.plan.LogEvery == 0 || due || last {
		if err := r.log.losses(done, losses, r.rate()); err != nil {
			return err
		}
	}
	progress := NewProgress(Training, done, r.plan.Updates, done-r.first, time.Since(r.start))
	progress.Rate *= float64(r.plan.Examples)
	progress.Losses = losses.known()
	if due {
		var err error
		if progress.Evaluation, err = r.judge(ctx); err != nil {
			return err
		}
	}
	regular := done%r.plan.SaveEvery == 0 && !r.state.doubtful(r.plan)
	if regular || due || last {
		if err := r.save(); err != nil {
			return err
		}
	}
	r.report(progress)
	return nil
}

// rate is the number of examples a second since the log's last line.
func (r *run) rate() float64 {
	now := time.Now()
	rate := float64((r.state.Updates-r.loggedUpdates)*r.plan.Examples) / now.Sub(r.logged).Seconds()
	r.logged, r.loggedUpdates = now, r.state.Updates
	return rate
}

// save writes a checkpoint of the updates made, if there is none.
func (r *run) save() error {
	if r.saved == r.state.Updates {
		return nil
	}
	if err := r.log.sync(); err != nil {
		return err
	}
	if err := saveCheckpoint(r.plan.Dir, r.store, r.plan.digest(), r.state); err != nil {
		return err
	}
	r.saved = r.state.Updates
	return nil
}

// explain tells, of a run that diverged, what is left of it and what to do.
func (r *run) explain(err error) error {
	var diverged *DivergedError
	if !errors.As(err, &diverged) {
		return err
	}
	kept := "no checkpoint was written before"
	if r.saved > 0 {
		kept = checkpointPath(r.plan.Dir, r.saved) + " is from before and is kept"
	}
	do := cmp.Or(diverged.Do, "lower the learning rate, warm up longer or clip the gradient")
	return fmt.Errorf("%w; %s: %s", err, kept, do)
}
