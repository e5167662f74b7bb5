package recipe_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
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

// trainInto trains a small language model, with dropout and a checkpoint after
// every update, so that a kill as often as not falls into a save.
func trainInto(out string) int {
	e, err := engine.Open("go")
	if err == nil {
		err = smallLanguageModel(filepath.Join(filepath.Dir(out), "text.txt")).
			Train(context.Background(), recipe.Run{Engine: e, Out: out, Report: func(train.Progress) {}})
	}
	if err != nil {
		os.Stderr.WriteString(err.Error())
		return 1
	}
	return 0
}

func smallLanguageModel(text string) recipe.LanguageModel {
	return recipe.LanguageModel{
		Name: "small", Texts: []string{text}, Batch: 4, MaxTokens: 16,
		Network: gpt2.Config{
			VocabSize: 280, Positions: 16, Width: 16, Layers: 1, Heads: 2, Epsilon: 1e-5,
			EmbeddingDropout: 0.1, AttentionDropout: 0.1, ResidualDropout: 0.1,
		},
		Optimizer: train.Optimizer{
			AdamW:    train.PaperAdamW(),
			Schedule: train.Schedule{LearningRate: 1e-2, Warmup: 10, Decay: train.Cosine},
			Updates:  150, ClipNorm: 1, Seed: 7,
		},
		Pace: recipe.Pace{SaveEvery: 1, LogEvery: 1},
		Seed: 11,
	}
}

// TestKilledRunEndsAsOneLeftAlone kills a training process 20 times with SIGKILL at
// random moments, and compares what comes out in the end, to the bit.
func TestKilledRunEndsAsOneLeftAlone(t *testing.T) {
	const kills = 20
	left, killed := newRun(t), newRun(t)
	if output, err := child(left).CombinedOutput(); err != nil {
		t.Fatalf("the run that is left alone: %v: %s", err, output)
	}
	done := 0
	for done < kills {
		if process := child(killed); survives(t, process, time.Duration(rand.IntN(1000))*time.Millisecond) {
			// It finished first: the remaining kills need a run of their own.
			compareRuns(t, left, killed, done)
			killed = newRun(t)
			continue
		}
		done++
	}
	if output, err := child(killed).CombinedOutput(); err != nil {
		t.Fatalf("after %d kills: %v: %s", done, err, output)
	}
	compareRuns(t, left, killed, done)
}

// newRun returns a folder to train into, beside the text to learn.
func newRun(t *testing.T) string {
	dir := t.TempDir()
	text := strings.Repeat("A dog runs on the grass.\nTwo men ride a horse!\nA girl in red sits on a bench.\n", 5)
	if err := os.WriteFile(filepath.Join(dir, "text.txt"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "model")
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
	for _, file := range []string{
		"model/model.safetensors", "model/config.json", "model/gpt_tokenizer/merges.txt", "model.run/log.jsonl",
	} {
		want, err := os.ReadFile(filepath.Join(filepath.Dir(left), file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(filepath.Dir(killed), file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs after %d kills", file, kills)
		}
	}
}
