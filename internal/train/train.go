// Package train runs a method over its batches: the loop, AdamW, schedules,
// checkpoints and the log. It knows no method and no data set.
package train

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/gomlx/gomlx/ml/model"
)

// Method learns from batches of one type.
type Method[B any] interface {
	// Step runs the update with that number, counted from 0. It is a function of the
	// store, the number and the batch alone.
	Step(ctx context.Context, update int, batch B) (Losses, error)
}

// Plan is how a run goes.
type Plan struct {
	Dir       string // where checkpoints and log lie; created if need be
	Run       string // digest of the resolved configuration: what may resume it
	Updates   int    // of the whole run
	SaveEvery int    // updates between checkpoints
	LogEvery  int    // updates between lines of the log
	Examples  int    // in a batch, for the rate
}

// Loop runs method until the plan's last update, from the newest checkpoint on.
// batch gives the batch of an update, counted from 0; it is called ahead of time
// from another goroutine, in order, and must be a function of the number alone. A
// run that is killed and started again ends with the same bits as one left alone.
func Loop[B any](ctx context.Context, p Plan, store *model.Store, method Method[B], batch func(update int) (B, error), report func(Progress)) error {
	if p.SaveEvery <= 0 || p.LogEvery <= 0 {
		return fmt.Errorf("train: a plan that saves every %d and logs every %d updates", p.SaveEvery, p.LogEvery)
	}
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	done, err := loadCheckpoint(p.Dir, store, p.Run)
	if err != nil {
		return err
	}
	log, err := openLog(p.Dir, done)
	if err != nil {
		return err
	}
	defer log.Close()

	ctx, cancel := context.WithCancel(ctx)
	batches := ahead(ctx, done, p.Updates, batch)
	defer func() {
		cancel()
		for range batches { // what batches are made from may be closed after this
		}
	}()
	start, first := time.Now(), done
	for next := range batches {
		if next.err != nil {
			return next.err
		}
		losses, err := method.Step(ctx, done, next.batch)
		if err != nil {
			return err
		}
		done++
		if done%p.LogEvery == 0 || done == p.Updates {
			if err := logLine(log, done, losses); err != nil {
				return err
			}
		}
		if done%p.SaveEvery == 0 || done == p.Updates {
			if err := log.Sync(); err != nil {
				return fmt.Errorf("train: %w", err)
			}
			if err := saveCheckpoint(p.Dir, store, done, p.Run); err != nil {
				return err
			}
		}
		progress := NewProgress(Training, done, p.Updates, done-first, time.Since(start))
		progress.Rate *= float64(p.Examples)
		progress.Losses = losses
		report(progress)
	}
	return ctx.Err()
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
