package recipe

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/train"
)

// Run is where and on what a recipe runs. Nothing in it changes what is learned, but
// that engines differ in the last bits.
type Run struct {
	Engine compute.Backend
	Out    string // the model folder to write; checkpoints and logs lie beside it, in Out.run
	Cache  string // folder of embeddings, which recipes share
	Report func(train.Progress)

	// Forecast, where it is set, is told what the run would be, and that is all: nothing
	// is trained, embedded or written.
	Forecast func(Forecast)
}

// Forecast is what a run would be.
type Forecast struct {
	Config   any // the resolved configuration
	Need     train.Need
	Examples int // to learn from
	Batch    int // of these an update
	Updates  int
}

// Pace is how often a run writes something down.
type Pace struct {
	SaveEvery int `json:"save_every"` // updates between checkpoints
	LogEvery  int `json:"log_every"`  // updates between lines of the log
}

// Val is how a run is judged while it goes on, by data that it does not learn from.
type Val struct {
	Data     Data     `json:"data,omitzero"`   // what it leaves empty is the run's own data's
	Texts    []string `json:"texts,omitempty"` // a language model's, plain text; beside Data's captions
	Limit    int      `json:"limit,omitempty"` // records or sentences, from the first; 0: all
	Every    int      `json:"every"`           // updates between evaluations; 0: none
	Select   string   `json:"select"`          // val_loss or another score of the log: its best weights are taken; empty: the last
	Patience int      `json:"patience"`        // evaluations without a better one that end the run; 0: it goes on
	Samples  int      `json:"samples"`         // texts that are logged, of the first photos
}

// plan says how to judge, by scores that evaluate computes.
func (v Val) plan(evaluate func(ctx context.Context) (train.Evaluation, error)) train.Val {
	return train.Val{
		Every: v.Every, Select: v.Select, Higher: !strings.HasSuffix(v.Select, "loss"), Patience: v.Patience,
		Evaluate: evaluate,
	}
}

// of fills in the places of data that v does not name. A run that is not judged has no
// such data.
func (v Val) of(d Data) Val {
	if v.Every == 0 {
		v.Data, v.Texts = Data{}, nil
		return v
	}
	v.Data.Captions = cmp.Or(v.Data.Captions, d.Captions)
	v.Data.Photos = cmp.Or(v.Data.Photos, d.Photos)
	return v
}

// files are what v reads.
func (v Val) files() []string {
	if v.Every == 0 {
		return nil
	}
	return append(slices.Clone(v.Texts), v.Data.files()...)
}

// limited is the first of a list.
func limited[T any](list []T, limit int) []T {
	if limit > 0 && limit < len(list) {
		return list[:limit]
	}
	return list
}

// resolveUpdates is the number of updates of a run: as many as are given, or as make
// so many epochs.
func resolveUpdates(updates int, epochs float64, examples, batch int) (int, error) {
	switch {
	case batch <= 0:
		return 0, fmt.Errorf("batch is %d, want more than 0", batch)
	case epochs == 0:
		return updates, nil
	case !(epochs > 0) || math.IsInf(epochs, 0):
		return 0, fmt.Errorf("epochs is %g, want more than 0", epochs)
	case updates != 0:
		return 0, errors.New("epochs and updates are given: leave one of them 0")
	}
	return int(math.Ceil(epochs * float64(examples) / float64(batch))), nil
}

// learner is a method that can tell what it takes.
type learner[B any] interface {
	train.Method[B]
	Need(batch B) (train.Need, error)
}

// job is a recipe that is ready to go.
type job[B any] struct {
	config   any // resolved
	pace     Pace
	updates  int
	size     int // of a batch
	examples int
	diverge  float64 // see [train.Plan]
	rising   string
	collapse train.Collapse
	store    *model.Store
	method   learner[B]
	batch    func(update int) (B, error)
	val      train.Val
	write    func(train.Outcome) error // the model, when it is trained
}

// diverge is how far the loss of one objective may rise: by half of what it was in the
// beginning.
const diverge = 0.5

// learn trains, and writes the model folder; or it tells what that would take.
func learn[B any](ctx context.Context, run Run, j job[B]) error {
	if run.Forecast != nil {
		batch, err := j.batch(0)
		if err != nil {
			return err
		}
		need, err := j.method.Need(batch)
		if err != nil {
			return err
		}
		run.Forecast(Forecast{Config: j.config, Need: need, Examples: j.examples, Batch: j.size, Updates: j.updates})
		return nil
	}
	config, err := json.MarshalIndent(j.config, "", "  ")
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	outcome, err := train.Loop(ctx, train.Plan{
		Dir: filepath.Clean(run.Out) + ".run", Config: append(config, '\n'),
		Updates: j.updates, SaveEvery: j.pace.SaveEvery, LogEvery: j.pace.LogEvery,
		Examples: j.size, Diverge: j.diverge, Rising: j.rising, Collapse: j.collapse, Val: j.val,
	}, j.store, j.method, j.batch, run.Report)
	if err != nil {
		return err
	}
	return j.write(outcome)
}
