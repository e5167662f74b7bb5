package train_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/train"
)

// judged trains with an evaluation every fourth update that scores how far the weights
// are from target, and gives up at an update if at is positive.
func judged(t *testing.T, dir string, target []float32, patience, at int) (*model.Store, train.Outcome, error) {
	t.Helper()
	o := optimizer()
	o.Average = 0.5
	store, method := newRegression(t, o)
	p := plan(dir)
	p.Val = train.Val{Every: 4, Select: "val_far", Patience: patience, Evaluate: func(context.Context) (train.Evaluation, error) {
		var far float64
		for i, v := range learned(t, store)["learned.weight"] {
			far += math.Abs(float64(v - target[i]))
		}
		return train.Evaluation{
			Scores:  train.Losses{{Name: "val_far", Value: far}, {Name: "val_other", Value: -far}},
			Samples: []train.Sample{{Of: "a\tphoto", Text: "A dog."}},
		}, nil
	}}
	outcome, err := train.Loop(context.Background(), p, store, method, func(update int) (sample, error) {
		if update == at && at > 0 {
			return sample{}, errors.New("stop here")
		}
		return batch(update)
	}, func(train.Progress) {})
	return store, outcome, err
}

// averagesAfter returns the averaged weights after some updates.
func averagesAfter(t *testing.T, updates int) []float32 {
	t.Helper()
	o := optimizer()
	o.Average = 0.5
	store, method := newRegression(t, o)
	for update := range updates {
		b, _ := batch(update)
		if _, err := method.Step(context.Background(), update, b); err != nil {
			t.Fatal(err)
		}
	}
	return averaged(t, store)
}

func averaged(t *testing.T, store *model.Store) (out []float32) {
	t.Helper()
	err := train.WithAverage(store, func() error {
		out = learned(t, store)["learned.weight"]
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestBestWeightsAreTaken holds that the weights of the best evaluation come out,
// wherever the run was stopped before, and that patience ends it.
func TestBestWeightsAreTaken(t *testing.T) {
	target := averagesAfter(t, 12)
	for _, patience := range []int{0, 2} {
		want := train.Outcome{Updates: 30, Chosen: 12, By: "val_far", Evaluations: 8}
		if patience > 0 {
			want.Updates, want.Evaluations, want.Early = 20, 5, true
		}
		var logs []byte
		for _, at := range []int{0, 5, 11, 13, 18, 20, 28} {
			dir := t.TempDir()
			if _, _, err := judged(t, dir, target, patience, at); at > 0 && (patience == 0 || at < 20) && err == nil {
				t.Fatal("the run was not stopped")
			}
			store, outcome, err := judged(t, dir, target, patience, 0)
			if err != nil {
				t.Fatal(err)
			}
			if outcome != want {
				t.Errorf("patience %d, stopped at %d: %+v, want %+v", patience, at, outcome, want)
			}
			for i, v := range averaged(t, store) {
				if v != target[i] {
					t.Errorf("patience %d, stopped at %d: weight %d is %g, want %g", patience, at, i, v, target[i])
				}
			}
			log := readLogs(t, dir)
			if logs == nil {
				logs = log
			}
			if !bytes.Equal(log, logs) {
				t.Errorf("patience %d, stopped at %d: the logs are\n%s\nwant\n%s", patience, at, log, logs)
			}
		}
		if !bytes.Contains(logs, []byte(`{"update":12,"val_far":0,"val_other":-0,"best":true,"samples":[{"of":"a\tphoto","text":"A dog."}]}`)) ||
			!bytes.Contains(logs, []byte("\n12,0,-0\n")) || !bytes.Contains(logs, []byte("\n12\ta photo\tA dog.\n")) {
			t.Errorf("the logs are\n%s", logs)
		}
	}
}

func readLogs(t *testing.T, dir string) (all []byte) {
	t.Helper()
	for _, name := range []string{"log.jsonl", "val.csv", "samples.tsv"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return rate.ReplaceAll(all, nil)
}

// TestDamagedBestIsFoundAgain holds that a best checkpoint that was damaged is not
// taken, but made again.
func TestDamagedBestIsFoundAgain(t *testing.T) {
	target := averagesAfter(t, 12)
	dir := t.TempDir()
	if _, _, err := judged(t, dir, target, 0, 14); err == nil {
		t.Fatal("the run was not stopped")
	}
	path := filepath.Join(dir, "checkpoint-12", "tensors.safetensors")
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	store, outcome, err := judged(t, dir, target, 0, 0)
	if err != nil || outcome.Chosen != 12 || averaged(t, store)[0] != target[0] {
		t.Errorf("chosen %d, %v", outcome.Chosen, err)
	}
}

func TestUnknownScoreIsRefused(t *testing.T) {
	store, method := newRegression(t, optimizer())
	p := plan(t.TempDir())
	p.Val = train.Val{Every: 4, Select: "cider", Evaluate: func(context.Context) (train.Evaluation, error) {
		return train.Evaluation{Scores: train.Losses{{Name: "val_loss"}}}, nil
	}}
	_, err := train.Loop(context.Background(), p, store, method, batch, func(train.Progress) {})
	if err == nil || !strings.Contains(err.Error(), `select is "cider", want one of ["val_loss"]`) {
		t.Errorf("an unknown score gives %v", err)
	}
	p.Val = train.Val{Patience: 3}
	if _, err := train.Loop(context.Background(), p, store, method, batch, func(train.Progress) {}); err == nil {
		t.Error("patience without evaluations was taken")
	}
}

// drifting is a method whose loss falls, and rises from an update on; its one variable
// counts the updates.
type drifting struct {
	store *model.Store
	from  int
}

func (d drifting) Step(_ context.Context, update int, _ struct{}) (train.Losses, error) {
	loss := 4 / float64(1+update)
	if update >= d.from {
		loss = float64(update - d.from)
	}
	return train.Losses{{Name: "loss", Value: loss}}, nil
}

// TestRisingLossEndsARun holds that a run whose loss rises far is stopped, and that
// the newest checkpoint is from before.
func TestRisingLossEndsARun(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // and again when it is resumed
		store, _ := newRegression(t, optimizer())
		p := train.Plan{Dir: dir, Config: []byte(`"r"`), Updates: 100, SaveEvery: 1, LogEvery: 1, Diverge: 0.5}
		batch := func(int) (struct{}, error) { return struct{}{}, nil }
		_, err := train.Loop(context.Background(), p, store, drifting{store, 40}, batch, func(train.Progress) {})
		diverged, ok := errors.AsType[*train.DivergedError](err)
		if !ok || diverged.Update < 41 || diverged.Update > 55 {
			t.Fatalf("the run ended with %v", err)
		}
		folders := glob(t, dir)
		newest := folders[len(folders)-1]
		if !strings.Contains(err.Error(), newest+" is from before and is kept: lower the learning rate") {
			t.Errorf("the run left %s and ended with %v", newest, err)
		}
		if n := strings.TrimPrefix(filepath.Base(newest), "checkpoint-"); n < "40" || n > strconv.Itoa(diverged.Update) {
			t.Errorf("the newest checkpoint is %s", newest)
		}
	}
}

// fading is a method whose answers become alike from an update on, while what Rising
// names rises from another.
type fading struct{ alike, rises int }

func (f fading) Step(_ context.Context, update int, _ struct{}) (train.Losses, error) {
	spread, cycle := 0.8, 1.0
	if update < 10 || update >= f.alike {
		spread = 0
	}
	if update >= f.rises {
		cycle = float64(update - f.rises)
	}
	return train.Losses{{Name: "loss", Value: float64(update)}, {Name: "cycle", Value: cycle}, {Name: "spread", Value: spread}}, nil
}

// TestCollapseEndsARun: a number that falls too far ends a run, once it was to
// be above, and the newest checkpoint is from before; a loss that rises does not where
// another number is followed, and that one does.
func TestCollapseEndsARun(t *testing.T) {
	const never = 1000
	for _, test := range []struct {
		method fading
		want   string
	}{
		{fading{never, never}, ""},
		{fading{60, never}, "the run collapsed: spread fell to 0.0"},
		{fading{never, 60}, "the run diverged: cycle rose from"},
	} {
		dir := t.TempDir()
		store, _ := newRegression(t, optimizer())
		p := train.Plan{
			Dir: dir, Config: []byte(`"r"`), Updates: 150, SaveEvery: 1, LogEvery: 1, Diverge: 0.5, Rising: "cycle",
			Collapse: train.Collapse{Name: "spread", Least: 0.1, After: 40, Do: "take more care"},
		}
		batch := func(int) (struct{}, error) { return struct{}{}, nil }
		_, err := train.Loop(context.Background(), p, store, test.method, batch, func(train.Progress) {})
		if test.want == "" {
			if err != nil {
				t.Errorf("a run that goes well: %v", err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), " is from before and is kept: ") {
			t.Errorf("%+v ended with %v", test.method, err)
		}
		if diverged, ok := errors.AsType[*train.DivergedError](err); ok && diverged.Collapsed != strings.HasSuffix(err.Error(), "take more care") {
			t.Errorf("the advice of %v", err)
		}
		for _, folder := range glob(t, dir) {
			if n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(folder), "checkpoint-")); err != nil || n > 100 {
				t.Errorf("it left %s", folder)
			}
		}
	}
}

func glob(t *testing.T, dir string) []string {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(dir, "checkpoint-*"))
	if err != nil || len(folders) != 2 {
		t.Fatalf("it left %v, %v", folders, err)
	}
	return folders
}

// TestInterruptedRunIsSaved holds that updates are not lost when a run is asked to end.
func TestInterruptedRunIsSaved(t *testing.T) {
	want, _ := finish(t, t.TempDir())
	dir := t.TempDir()
	store, method := newRegression(t, optimizer())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := train.Loop(ctx, plan(dir), store, method, batch, func(p train.Progress) {
		if p.Done == 6 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the run ended with %v", err)
	}
	saved, err := filepath.Glob(filepath.Join(dir, "checkpoint-*"))
	if err != nil || len(saved) != 2 || filepath.Base(saved[1]) < "checkpoint-6" {
		t.Errorf("the run left %v", saved)
	}
	got, _ := finish(t, dir)
	same(t, got, want)
}
