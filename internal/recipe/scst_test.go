package recipe_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/recipe"
	"github.com/cutline-go/cutline/internal/train"
)

// TestSCSTGoesOn: self-critical training goes on from a captioner, by either part of its
// reward, through a stop to the same bits, and makes a folder that captions.
func TestSCSTGoesOn(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, dir)
	told := filepath.Join(dir, "told")
	if err := c.Train(t.Context(), testRun(t, told, dir)); err != nil {
		t.Fatal(err)
	}
	r := recipe.SCST{
		Name: "small", Captioner: told, Data: c.Data, Views: 2, Augment: c.Augment, Batch: 4, Seed: 9,
		CIDEr: 1, Discriminability: 0.5,
		Method: method.SCSTConfig{Samples: 3, MaxTokens: 12, Optimizer: optimizer(8)},
		Pace:   recipe.Pace{SaveEvery: 2, LogEvery: 1},
		Val:    recipe.Val{Data: recipe.Data{Split: "val"}, Every: 4, Select: "val_cider", Samples: 1},
	}
	left, stopped := filepath.Join(dir, "left"), filepath.Join(dir, "stopped")
	if err := r.Train(t.Context(), testRun(t, left, dir)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	run := testRun(t, stopped, dir)
	run.Report = func(p train.Progress) {
		if p.Stage == train.Training && p.Done == 3 {
			cancel()
		}
	}
	if err := r.Train(ctx, run); !errors.Is(err, context.Canceled) {
		t.Fatalf("the stopped run: %v", err)
	}
	if err := r.Train(t.Context(), testRun(t, stopped, dir)); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"model.safetensors", "config.json"} {
		if !bytes.Equal(contents(t, left, file), contents(t, stopped, file)) {
			t.Errorf("%s differs after a stop", file)
		}
	}
	if bytes.Equal(contents(t, left, "model.safetensors"), contents(t, told, "model.safetensors")) {
		t.Error("nothing was learned")
	}
	for _, part := range []string{"cider", "distinct", "told"} {
		if log := contents(t, left+".run", "log.jsonl"); !bytes.Contains(log, []byte(`"`+part+`"`)) {
			t.Errorf("the log tells no %s: %s", part, log)
		}
	}
	captions(t, left, filepath.Join(c.Data.Photos, "2.png"))

	misshapen := r
	misshapen.Augment.MinArea = 2
	if err := misshapen.Train(t.Context(), testRun(t, filepath.Join(dir, "other"), dir)); err == nil || !strings.Contains(err.Error(), "min_area") {
		t.Errorf("views of twice the photo: %v", err)
	}
	r.Captioner = c.LanguageModel
	if err := r.Train(t.Context(), testRun(t, filepath.Join(dir, "other"), dir)); err == nil || !strings.Contains(err.Error(), "CLIP") {
		t.Errorf("from a language model alone: %v", err)
	}
}
