package train_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/nn"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
)

// regression is a method: it learns y = Wx + b from x [B, 3] and y [B, 2].
type regression struct{ updater *train.Updater }

type sample struct{ x, y *tensors.Tensor }

func (r regression) Step(_ context.Context, update int, b sample) (train.Losses, error) {
	return r.updater.Step(update, b.x, b.y)
}

func newRegression(t *testing.T, o train.Optimizer) (*model.Store, regression) {
	store := model.NewStore()
	store.SetParam("/"+nn.SeedParam, int64(3))
	u, err := train.NewUpdater(golden.Engine(t), store, o, []string{"learned"}, func(root *model.Scope, in []*Node) (*Node, []train.Part) {
		frozen := nn.Linear(root.At("frozen"), in[0], 3)
		loss := ReduceAllMean(Square(Sub(nn.Linear(root.At("learned"), frozen, 2), in[1])))
		return loss, []train.Part{{Name: "half", Node: DivScalar(loss, 2)}}
	})
	if err != nil {
		t.Fatal(err)
	}
	return store, regression{u}
}

func optimizer() train.Optimizer {
	return train.Optimizer{
		AdamW:    train.PaperAdamW(),
		Schedule: train.Schedule{LearningRate: 0.05, Warmup: 3, Decay: train.Linear},
		Updates:  30, ClipNorm: 0.5,
	}
}

// batch is a function of the update alone.
func batch(update int) (sample, error) {
	x, y := make([]float32, 12), make([]float32, 8)
	for i := range x {
		x[i] = float32(math.Sin(float64(update*12 + i)))
	}
	for i := range 4 {
		y[2*i], y[2*i+1] = x[3*i]-x[3*i+1], 2*x[3*i+2]+1
	}
	return sample{tensors.FromFlatDataAndDimensions(x, 4, 3), tensors.FromFlatDataAndDimensions(y, 4, 2)}, nil
}

func plan(dir string) train.Plan {
	return train.Plan{Dir: dir, Config: []byte(`"r"`), Updates: 30, SaveEvery: 4, LogEvery: 1}
}

// finish trains until the plan's end and returns all variables and the log.
func finish(t *testing.T, dir string) (variables []weights.Tensor, log []byte) {
	t.Helper()
	return finishWith(t, dir, optimizer())
}

func finishWith(t *testing.T, dir string, o train.Optimizer) (variables []weights.Tensor, log []byte) {
	t.Helper()
	store, method := newRegression(t, o)
	if _, err := train.Loop(context.Background(), plan(dir), store, method, batch, func(train.Progress) {}); err != nil {
		t.Fatal(err)
	}
	variables, err := weights.Export(store, weights.F32, "learned", "frozen", "adamw", "average")
	if err != nil {
		t.Fatal(err)
	}
	log, err = os.ReadFile(filepath.Join(dir, "log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return variables, rate.ReplaceAll(log, nil)
}

// rate is the only thing in a log that two equal runs do not share.
var rate = regexp.MustCompile(`,"examples_per_second":[0-9.]+`)

// interrupt trains until an update is done, and stops.
func interrupt(t *testing.T, dir string, at int) {
	t.Helper()
	interruptWith(t, dir, at, optimizer())
}

func interruptWith(t *testing.T, dir string, at int, o train.Optimizer) {
	t.Helper()
	store, method := newRegression(t, o)
	ctx, cancel := context.WithCancel(context.Background())
	failing := func(update int) (sample, error) {
		if update == at {
			return sample{}, errors.New("stop here")
		}
		return batch(update)
	}
	_, err := train.Loop(ctx, plan(dir), store, method, failing, func(train.Progress) {})
	cancel()
	if err == nil || err.Error() != "stop here" {
		t.Fatalf("the loop ended with %v", err)
	}
}

func same(t *testing.T, got, want []weights.Tensor) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d variables, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].Name != want[i].Name || !bytes.Equal(got[i].Data, want[i].Data) {
			t.Errorf("%s differs from %s", got[i].Name, want[i].Name)
		}
	}
}

func TestLoopLearnsAndRepeats(t *testing.T) {
	one, log := finish(t, t.TempDir())
	two, again := finish(t, t.TempDir())
	same(t, two, one)
	if !bytes.Equal(log, again) {
		t.Error("the same run wrote two logs")
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	if len(lines) != 30 {
		t.Fatalf("%d lines in the log, want 30", len(lines))
	}
	if first, last := lossOf(t, lines[0]), lossOf(t, lines[29]); last > first/2 {
		t.Errorf("the loss went from %g to %g only", first, last)
	}
}

func TestResumedRunEqualsWhole(t *testing.T) {
	want, log := finish(t, t.TempDir())
	for _, at := range []int{0, 1, 4, 7, 8, 29} {
		dir := t.TempDir()
		interrupt(t, dir, at)
		got, again := finish(t, dir)
		same(t, got, want)
		if !bytes.Equal(again, log) {
			t.Errorf("stopped after %d updates: the log is\n%s", at, again)
		}
	}
}

func TestDamagedCheckpointIsPassedOver(t *testing.T) {
	want, _ := finish(t, t.TempDir())
	dir := t.TempDir()
	interrupt(t, dir, 13)
	newest := filepath.Join(dir, "checkpoint-12", "tensors.safetensors")
	data, err := os.ReadFile(newest)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(newest, data, 0o644); err != nil {
		t.Fatal(err)
	}
	got, _ := finish(t, dir)
	same(t, got, want)
}

func TestOtherRunIsNotResumed(t *testing.T) {
	dir := t.TempDir()
	interrupt(t, dir, 5)
	store, method := newRegression(t, optimizer())
	p := plan(dir)
	p.Config = []byte(`"another"`)
	_, err := train.Loop(context.Background(), p, store, method, batch, func(train.Progress) {})
	if err == nil || !strings.Contains(err.Error(), "another configuration") {
		t.Errorf("another run went on: %v", err)
	}
	for _, test := range []struct{ there, here, want string }{
		{`{"a": 1, "b": {"c": [1, 2], "d": 3}}`, `{"a": 1, "b": {"c": [1, 3], "d": 3}}`, "(b.c is [1,2] there, [1,3] here)"},
		{`{"a": 1}`, `{"a": 1, "z": {"y": "x"}}`, `(z is absent there, {"y":"x"} here)`},
	} {
		dir := t.TempDir()
		for i, config := range []string{test.there, test.here} {
			p := plan(dir)
			p.Config = []byte(config)
			p.Updates = 1
			store, method := newRegression(t, optimizer())
			_, err := train.Loop(context.Background(), p, store, method, batch, func(train.Progress) {})
			if i == 0 && err != nil || i == 1 && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%s gives %v, want %s", config, err, test.want)
			}
		}
	}
}

func TestCheckpointsAreFewAndClean(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".checkpoint-left"), 0o755); err != nil {
		t.Fatal(err)
	}
	finish(t, dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "checkpoint-28 checkpoint-30 config.json log.csv log.jsonl" {
		t.Errorf("the run left %s", got)
	}
}

// TestFrozenStays tells that variables outside of the scopes keep their bits.
func TestFrozenStays(t *testing.T) {
	store, method := newRegression(t, optimizer())
	b, _ := batch(0)
	if _, err := method.Step(context.Background(), 0, b); err != nil { // at learning rate 0
		t.Fatal(err)
	}
	before, err := weights.Export(store, weights.F32, "frozen", "learned")
	if err != nil {
		t.Fatal(err)
	}
	for update := 1; update < 5; update++ {
		b, _ := batch(update)
		if _, err := method.Step(context.Background(), update, b); err != nil {
			t.Fatal(err)
		}
	}
	after, err := weights.Export(store, weights.F32, "frozen", "learned")
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range after {
		moved := !bytes.Equal(v.Data, before[i].Data)
		if learned := strings.HasPrefix(v.Name, "learned."); moved != learned {
			t.Errorf("%s moved: %v, learned: %v", v.Name, moved, learned)
		}
	}
}

// TestLossThatIsNoNumber ends a run instead of spoiling its weights silently.
func TestLossThatIsNoNumber(t *testing.T) {
	_, method := newRegression(t, optimizer())
	b, _ := batch(0)
	b.x = tensors.FromFlatDataAndDimensions([]float32{float32(math.Inf(1)), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 4, 3)
	if _, err := method.Step(context.Background(), 0, b); err == nil || !strings.Contains(err.Error(), "update 0: the run diverged: loss is") {
		t.Errorf("the step ended with %v", err)
	}
}

func TestScheduleRates(t *testing.T) {
	for _, test := range []struct {
		decay train.Decay
		hold  float64
		step  int
		want  float64
	}{
		{train.Linear, 0, 0, 0}, {train.Linear, 0, 5, 0.5}, {train.Linear, 0, 10, 1}, {train.Linear, 0, 60, 0.5}, {train.Linear, 0, 110, 0}, {train.Linear, 0, 200, 0},
		{train.Constant, 0, 9, 0.9}, {train.Constant, 0, 109, 1},
		{train.Cosine, 0, 10, 1}, {train.Cosine, 0, 60, 0.5}, {train.Cosine, 0, 110, 0},
		{train.Linear, 0.5, 5, 0.5}, {train.Linear, 0.5, 10, 1}, {train.Linear, 0.5, 59, 1}, {train.Linear, 0.5, 85, 0.5}, {train.Linear, 0.5, 110, 0},
	} {
		s := train.Schedule{LearningRate: 1, Warmup: 10, Decay: test.decay, Hold: test.hold}
		if got := s.Rate(test.step, 110); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("%s after %g at %d: %g, want %g", test.decay, test.hold, test.step, got, test.want)
		}
	}
}

func TestOptimizerValidate(t *testing.T) {
	for field, change := range map[string]func(*train.Optimizer){
		"updates":       func(o *train.Optimizer) { o.Updates = 0 },
		"clip_norm":     func(o *train.Optimizer) { o.ClipNorm = math.NaN() },
		"learning_rate": func(o *train.Optimizer) { o.Schedule.LearningRate = 0 },
		"accumulate":    func(o *train.Optimizer) { o.Accumulate = -1 },
		"average":       func(o *train.Optimizer) { o.Average = 1 },
		"warmup":        func(o *train.Optimizer) { o.Schedule.Warmup = -1 },
		"hold":          func(o *train.Optimizer) { o.Schedule.Hold = 1 },
		"decay":         func(o *train.Optimizer) { o.Schedule.Decay = "steep" },
	} {
		o := optimizer()
		change(&o)
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("a bad %s gives %v", field, err)
		}
	}
}

func lossOf(t *testing.T, line string) float64 {
	t.Helper()
	var entry struct {
		Loss float64 `json:"loss"`
	}
	if err := json.Unmarshal([]byte(line), &entry); err != nil {
		t.Fatal(err)
	}
	return entry.Loss
}
