package recipe_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/recipe"
)

// smallSemiSupervised is a recipe over the parts of c that goes through its stages in
// turns.
func smallSemiSupervised(c recipe.ClipCap) recipe.SemiSupervised {
	return recipe.SemiSupervised{
		Name: "small", CLIP: c.CLIP, LanguageModel: c.LanguageModel, Data: c.Data, Labelled: 4, Mapper: c.Mapper,
		Batch: 3, UnlabelledBatch: 4, Seed: 9, Pace: recipe.Pace{SaveEvery: 1, LogEvery: 1},
		Val: recipe.Val{Data: recipe.Data{Split: "val"}, Every: 5, Samples: 1},
		Method: method.SemiSupervisedConfig{
			Optimizer: optimizer(20), MaxTokens: 16, Stages: method.Stages{Supervised: 6, Unlabelled: 3, Again: 2}, UnlabelledRate: 0.5,
			Bridge: method.BridgeText, StraightThrough: true, Samples: 2, Length: 5, TauFrom: 1, TauTo: 0.5, Anchor: 0.5,
		},
	}
}

// TestSemiSupervisedTrains makes a folder that captions a photo, by either bridge, from
// a run that was stopped in a turn of stage 2 and went on, to the bit as one that was
// not; photos without captions may come from elsewhere.
func TestSemiSupervisedTrains(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, dir)
	for _, bridge := range []method.Bridge{method.BridgeTokens, method.BridgeText} {
		r := smallSemiSupervised(c)
		r.Method.Bridge = bridge
		left, out := filepath.Join(dir, "left-"+string(bridge)), filepath.Join(dir, "stopped-"+string(bridge))
		if err := r.Train(t.Context(), testRun(t, left, dir)); err != nil {
			t.Fatal(err)
		}
		stopped(t, r, out, dir, 8, 20)
		for _, file := range []string{"model.safetensors", "config.json"} {
			if !bytes.Equal(contents(t, left, file), contents(t, out, file)) {
				t.Errorf("bridge %s: %s differs after a stop", bridge, file)
			}
		}
		lines := strings.Split(string(contents(t, left+".run", "log.csv")), "\n")
		if !strings.HasPrefix(lines[0], "update,loss,stage,cross_entropy,similarity,margin,length,distinct,tau,gradient_norm,learning_rate,") {
			t.Errorf("log.csv begins %s", lines[0])
		}
		if first, second := strings.Split(lines[1], ","), strings.Split(lines[7], ","); first[2] != "1" || first[4] != "" || second[2] != "2" || second[4] == "" {
			t.Errorf("log.csv has the lines %v and %v", first, second)
		}
		if scores := string(contents(t, left+".run", "val.csv")); !strings.HasPrefix(scores, "update,val_loss,val_cider,val_distinct,val_similarity\n") {
			t.Errorf("val.csv begins %.100s", scores)
		}
	}
	r := smallSemiSupervised(c)
	r.Unlabelled = c.Data.Photos
	if err := r.Train(t.Context(), testRun(t, filepath.Join(dir, "elsewhere"), dir)); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(contents(t, filepath.Join(dir, "elsewhere"), "model.safetensors"), contents(t, filepath.Join(dir, "left-text"), "model.safetensors")) {
		t.Error("the photos without captions change nothing")
	}
}

// TestSemiSupervisedRefuses what nothing can be learned from, and ends what came to
// nothing, with a checkpoint from before.
func TestSemiSupervisedRefuses(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, dir)
	write(t, filepath.Join(dir, "empty.jsonl"), []byte("\n"))
	for name, test := range map[string]struct {
		change func(*recipe.SemiSupervised)
		want   string
	}{
		"no data":               {func(r *recipe.SemiSupervised) { r.Data = recipe.Data{} }, "data names no captions or no photos"},
		"no such split":         {func(r *recipe.SemiSupervised) { r.Data.Split = "test" }, "test"},
		"an empty corpus":       {func(r *recipe.SemiSupervised) { r.Data.Captions = filepath.Join(dir, "empty.jsonl") }, "empty.jsonl"},
		"more than there are":   {func(r *recipe.SemiSupervised) { r.Labelled = 13 }, "labelled is 13 captions, but there are 12"},
		"no photos elsewhere":   {func(r *recipe.SemiSupervised) { r.Unlabelled = t.TempDir() }, "no photos"},
		"no batch":              {func(r *recipe.SemiSupervised) { r.UnlabelledBatch = 0 }, "unlabelled_batch is 0"},
		"a length without room": {func(r *recipe.SemiSupervised) { r.Method.Length = 15 }, "length is 15, but there is room for 14 tokens"},
		"a loss that diverges": {func(r *recipe.SemiSupervised) {
			r.Method.Optimizer.Schedule.LearningRate, r.Method.Optimizer.ClipNorm = 1e12, 0
		}, "is kept: lower the learning rate"},
		"captions all alike": {func(r *recipe.SemiSupervised) {
			r.Least, r.Method.Stages.Again, r.Val = 2, 0, recipe.Val{}
		}, "checkpoint-6 is from before and is kept: captions became the same for all photos"},
	} {
		t.Run(name, func(t *testing.T) {
			r := smallSemiSupervised(c)
			test.change(&r)
			refused(t, r, filepath.Join(t.TempDir(), "out"), dir, test.want)
		})
	}
}

// TestFew: captions are counted, and as many photos as there are have one before any has
// two; which they are depends on the seed alone.
func TestFew(t *testing.T) {
	records := []dataset.Record{{Image: "a", Captions: []string{"1", "2"}}, {Image: "b", Captions: []string{"3"}}, {Image: "c", Captions: []string{"4", "5", "6"}}}
	for captions, want := range map[int][]int{1: {1}, 2: {1, 1}, 3: {1, 1, 1}, 5: {2, 1, 2}, 6: {2, 1, 3}, 0: {2, 1, 3}} {
		labelled, of, err := recipe.Few(records, captions, 3)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for i, r := range labelled {
			got = append(got, len(r.Captions))
			if r.Image != records[of[i]].Image || !slices.Equal(r.Captions, records[of[i]].Captions[:len(r.Captions)]) {
				t.Errorf("of %d captions, %v is said to be of photo %d", captions, r, of[i])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d captions: %v of the photos, want %v", captions, got, want)
		}
	}
	chosen := make(map[int]bool)
	for seed := range int64(20) {
		_, of, err := recipe.Few(records, 1, seed)
		if err != nil {
			t.Fatal(err)
		}
		chosen[of[0]] = true
	}
	if len(chosen) != 3 {
		t.Errorf("20 seeds choose %v", chosen)
	}
	for _, captions := range []int{-1, 7} {
		if _, _, err := recipe.Few(records, captions, 1); err == nil {
			t.Errorf("%d captions of 6 are taken", captions)
		}
	}
}

// TestKilledSemiSupervisedEndsAsOneLeftAlone kills a run whose stages take turns.
func TestKilledSemiSupervisedEndsAsOneLeftAlone(t *testing.T) {
	compareKilled(t, 5, func() string {
		dir := t.TempDir()
		c := smallSemiSupervised(smallCaptioner(t, dir))
		c.Method.Optimizer.Updates, c.Val.Select = 40, "val_cider"
		writeConfig(t, filepath.Join(dir, "semi-supervised.json"), c)
		return filepath.Join(dir, "model")
	})
}
