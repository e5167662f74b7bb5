package recipe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cutline-go/cutline/internal/engine"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/recipe"
	"github.com/cutline-go/cutline/internal/train"
)

// childVariable makes the test binary a training process instead: it holds the
// folder to train into.
const childVariable = "CUTLINE_TEST_TRAIN_INTO"

func TestMain(m *testing.M) {
	if out := os.Getenv(childVariable); out != "" {
		os.Exit(trainInto(out))
	}
	os.Exit(m.Run())
}

// trainInto trains as the configuration beside out says, whose name is the method's.
func trainInto(out string) int {
	e, err := engine.Open("")
	if err == nil {
		run := recipe.Run{Engine: e, Out: out, Cache: filepath.Join(filepath.Dir(out), "cache"), Report: func(train.Progress) {}}
		err = errors.Join(
			trainAs(run, "lm", new(recipe.LanguageModel)),
			trainAs(run, "roberta", new(recipe.RoBERTa)),
			trainAs(run, "cgt-gan", new(recipe.CgTGAN)),
			trainAs(run, "esper", new(recipe.ESPER)),
			trainAs(run, "clipcap-mlp", new(recipe.ClipCap)),
			trainAs(run, "latent-cyclegan", new(recipe.LatentCycleGAN)),
			trainAs(run, "semi-supervised", new(recipe.SemiSupervised)),
		)
	}
	if err != nil {
		os.Stderr.WriteString(err.Error())
		return 1
	}
	return 0
}

func trainAs(run recipe.Run, method string, r interface {
	Train(ctx context.Context, run recipe.Run) error
}) error {
	path := filepath.Join(filepath.Dir(run.Out), method+".json")
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	if err := recipe.ReadConfig(path, method, nil, r); err != nil {
		return err
	}
	return r.Train(context.Background(), run)
}

// smallLanguageModel has a bit of everything that a checkpoint has to hold: dropout,
// averages, gradients in parts, and a choice of the best weights. A checkpoint is
// written after every update, so that a kill as often as not falls into a save.
func smallLanguageModel(dir string) recipe.LanguageModel {
	o := optimizer(110)
	o.Schedule.Warmup, o.Average, o.Accumulate = 10, 0.9, 2
	return recipe.LanguageModel{
		Name: "small", Texts: []string{filepath.Join(dir, "text.txt")}, Batch: 4, MaxTokens: 16,
		Network: gpt2.Config{
			VocabSize: 280, Positions: 16, Width: 16, Layers: 1, Heads: 2, Epsilon: 1e-5,
			EmbeddingDropout: 0.1, AttentionDropout: 0.1, ResidualDropout: 0.1,
		},
		Optimizer: o,
		Pace:      recipe.Pace{SaveEvery: 1, LogEvery: 1},
		Val:       recipe.Val{Texts: []string{filepath.Join(dir, "val.txt")}, Every: 10, Select: "val_loss", Samples: 2},
		Seed:      11,
	}
}

// TestKilledRunEndsAsOneLeftAlone kills training processes with SIGKILL at random
// moments, and compares what comes out in the end, to the bit: 20 times for a language
// model, and five times for a captioner, whose embeddings are made on the way.
func TestKilledRunEndsAsOneLeftAlone(t *testing.T) {
	t.Run("lm", func(t *testing.T) {
		compareKilled(t, 20, func() string {
			dir := t.TempDir()
			writeTexts(t, dir)
			writeConfig(t, filepath.Join(dir, "lm.json"), smallLanguageModel(dir))
			return filepath.Join(dir, "model")
		})
	})
	t.Run("roberta", func(t *testing.T) {
		compareKilled(t, 5, func() string {
			dir := t.TempDir()
			writeTexts(t, dir)
			writeConfig(t, filepath.Join(dir, "roberta.json"), smallRoBERTa(dir))
			return filepath.Join(dir, "model")
		})
	})
	t.Run("cgt-gan", func(t *testing.T) {
		compareKilled(t, 5, func() string {
			dir := t.TempDir()
			c := smallCgTGAN(t, dir)
			c.Method.Generator.Updates = 40
			c.Val = recipe.Val{Data: recipe.Data{Captions: c.Data.Text[0], Photos: c.Photos, Split: "val"}, Every: 5, Select: "val_cider", Samples: 1}
			writeConfig(t, filepath.Join(dir, "cgt-gan.json"), c)
			return filepath.Join(dir, "model")
		})
	})
	t.Run("esper", func(t *testing.T) {
		compareKilled(t, 5, func() string {
			dir := t.TempDir()
			c := smallESPER(t, dir)
			c.Method.Optimizer.Updates = 30
			c.Val = recipe.Val{Data: recipe.Data{Captions: c.Data.Text[0], Photos: c.Photos, Split: "val"}, Every: 5, Select: "val_loss", Samples: 1}
			writeConfig(t, filepath.Join(dir, "esper.json"), c)
			return filepath.Join(dir, "model")
		})
	})
	t.Run("clipcap", func(t *testing.T) {
		compareKilled(t, 5, func() string {
			dir := t.TempDir()
			c := smallCaptioner(t, dir)
			c.Views = 100 // so that making the embeddings takes a while
			c.Method.Optimizer.Updates = 60
			c.Val = recipe.Val{Data: recipe.Data{Split: "val"}, Every: 5, Select: "val_cider", Patience: 8, Samples: 1}
			writeConfig(t, filepath.Join(dir, "clipcap-mlp.json"), c)
			return filepath.Join(dir, "model")
		})
	})
}

// writeTexts writes sentences to learn from, and some to be judged by.
func writeTexts(t *testing.T, dir string) {
	t.Helper()
	text := strings.Repeat("A dog runs on the grass.\nTwo men ride a horse!\nA girl in red sits on a bench.\n", 5)
	write(t, filepath.Join(dir, "text.txt"), []byte(text))
	write(t, filepath.Join(dir, "val.txt"), []byte("A girl rides a dog.\nThe horse runs on a bench."))
}

// compareKilled compares runs that are killed with one that is not; newRun returns a
// folder to train into, beside a configuration.
func compareKilled(t *testing.T, kills int, newRun func() string) {
	left, killed := newRun(), newRun()
	start := time.Now()
	if output, err := child(left).CombinedOutput(); err != nil {
		t.Fatalf("the run that is left alone: %v: %s", err, output)
	}
	took, done := time.Since(start), 0
	for done < kills {
		if process := child(killed); survives(t, process, rand.N(took/2)) {
			// It finished first: the remaining kills need a run of their own.
			compareRuns(t, left, killed, done)
			killed = newRun()
			continue
		}
		done++
	}
	if output, err := child(killed).CombinedOutput(); err != nil {
		t.Fatalf("after %d kills: %v: %s", done, err, output)
	}
	compareRuns(t, left, killed, done)
}

func writeConfig(t *testing.T, path string, config any) {
	t.Helper()
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, data)
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func child(out string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childVariable+"="+out)
	return c
}

// survives starts a process, kills it after a while, and tells whether it had ended
// by itself.
func survives(t *testing.T, process *exec.Cmd, after time.Duration) bool {
	var output bytes.Buffer
	process.Stdout, process.Stderr = &output, &output
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = process.Process.Kill() })
	defer timer.Stop()
	err := process.Wait()
	if err == nil {
		return true
	}
	if process.ProcessState.ExitCode() >= 0 {
		t.Fatalf("a resumed run failed: %v: %s", err, &output)
	}
	return false
}

// compareRuns compares the models and the logs of two runs.
func compareRuns(t *testing.T, left, killed string, kills int) {
	t.Helper()
	files := []string{"model/model.safetensors", "model/config.json", "model.run/log.jsonl", "model.run/val.csv", "model.run/samples.tsv"}
	tokenizers, err := filepath.Glob(filepath.Join(left, "*_tokenizer", "merges.txt"))
	if err != nil || len(tokenizers) == 0 {
		t.Fatalf("no tokenizer: %v", err)
	}
	for _, path := range tokenizers {
		files = append(files, filepath.Join("model", filepath.Base(filepath.Dir(path)), "merges.txt"))
	}
	for _, file := range files {
		want, got := read(t, left, file), read(t, killed, file)
		if !bytes.Equal(rate.ReplaceAll(got, nil), rate.ReplaceAll(want, nil)) {
			t.Errorf("%s differs after %d kills", file, kills)
		}
	}
	if want, got := outcomeOf(t, left), outcomeOf(t, killed); got != want {
		t.Errorf("after %d kills the outcome is %+v, want %+v", kills, got, want)
	} else if want.Chosen == want.Updates || want.Evaluations < 3 {
		t.Errorf("the outcome %+v tells nothing of a choice", want)
	}
}

// rate is the only thing in a log that two equal runs do not share.
var rate = regexp.MustCompile(`,"examples_per_second":[0-9.]+`)

func read(t *testing.T, out, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(filepath.Dir(out), file))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func outcomeOf(t *testing.T, out string) train.Outcome {
	t.Helper()
	var run struct{ Outcome train.Outcome }
	if err := json.Unmarshal(read(t, out, "model/run.json"), &run); err != nil {
		t.Fatal(err)
	}
	return run.Outcome
}
