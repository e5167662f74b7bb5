package recipe_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/recipe"
)

// smallCgTGAN trains what CgT-GAN begins with into dir, and returns a recipe of it that
// takes dropout, averages, and a start of its own.
func smallCgTGAN(t *testing.T, dir string) recipe.CgTGAN {
	t.Helper()
	c := smallCaptioner(t, dir)
	writeTexts(t, dir)
	r := smallRoBERTa(dir)
	r.Method.Optimizer.Updates, r.Val = 3, recipe.Val{}
	reader := filepath.Join(dir, "roberta")
	if err := r.Train(t.Context(), testRun(t, reader, dir)); err != nil {
		t.Fatal(err)
	}
	o := optimizer(16)
	o.Average = 0.9
	o.AdamW.WeightDecay, o.AdamW.Undecayed = 0.05, []string{"bias", "LayerNorm.weight"}
	d := o
	d.Average = 0
	return recipe.CgTGAN{
		Name: "small", CLIP: c.CLIP, LanguageModel: c.LanguageModel, RoBERTa: reader,
		Data: recipe.TextData{Text: []string{c.Data.Captions}, Split: "train"}, Photos: c.Data.Photos, Temperature: 100,
		Mapper: mapper.Config{Kind: mapper.KindMLP, PrefixLength: 2},
		Start:  recipe.CgTGANStart{Batch: 4, Epochs: 3, MaxTokens: 16, Optimizer: optimizer(0)}, Batch: 4,
		Method: method.CgTGANConfig{
			Samples: 2, Baseline: method.BaselineGreedy, ClipWeight: 0.5, L1: 0.5, Weight: method.Ramp{Most: 0.5, After: 4, Over: 8},
			MaxTokens: 12, ReadTokens: 14, Generator: o, Discriminator: d,
		},
		Pace: recipe.Pace{SaveEvery: 1, LogEvery: 1}, Seed: 9,
	}
}

// TestCgTGANTrains: it makes a folder that captions a photo, from a run that was stopped
// in either of its parts and went on, to the bit as one that was not.
func TestCgTGANTrains(t *testing.T) {
	dir := t.TempDir()
	r := smallCgTGAN(t, dir)
	left := filepath.Join(dir, "left")
	trainsTheSame(t, r, left, dir, 5, 14) // of the start, of both players
	logged(t, left, "update,loss,loss_clip,loss_natural,gradient_norm,learning_rate,reward_clip,reward_cosine,reward_l1,reward_image,reward_natural,"+
		"weight,distinct,discriminator_loss,told,discriminator_gradient_norm,discriminator_learning_rate,examples_per_second")
	if run := string(contents(t, left, "run.json")); !strings.Contains(run, `"chosen_by_labelled_data": false`) || !strings.Contains(run, `"captions.jsonl":`) {
		t.Errorf("run.json is %s", run)
	}
	photo := filepath.Join(r.Photos, "2.png")
	captions(t, left, photo)
}

// TestCgTGANRefuses what nothing can be learned from, before anything is written, and
// gives up a run that diverges or says the same of all photos, with what is left of it.
func TestCgTGANRefuses(t *testing.T) {
	dir := t.TempDir()
	small := smallCgTGAN(t, dir)
	write(t, filepath.Join(dir, "short.txt"), []byte("A dog.\nA cat!\n"))
	for name, test := range map[string]struct {
		change func(r *recipe.CgTGAN)
		want   string
	}{
		"an emptied corpus": {func(r *recipe.CgTGAN) {
			r.Data, r.Length = recipe.TextData{Text: []string{filepath.Join(dir, "short.txt")}}, recipe.Range{Least: 7, Most: 15}
		}, "none of 2 captions has the 7 to 15 words"},
		"no RoBERTa":                      {func(r *recipe.CgTGAN) { r.RoBERTa = "" }, "train roberta makes one"},
		"a CLIP for one":                  {func(r *recipe.CgTGAN) { r.RoBERTa = r.CLIP }, "holds a CLIP, want a RoBERTa"},
		"no photos":                       {func(r *recipe.CgTGAN) { r.Photos = "" }, "photos names neither"},
		"captions too long to begin with": {func(r *recipe.CgTGAN) { r.Start.MaxTokens = 2 }, "start: 12 of 12 captions have more than 2 tokens"},
		"a temperature 0":                 {func(r *recipe.CgTGAN) { r.Temperature = 0 }, "inverse temperature is 0"},
		"one sample compared with none": {func(r *recipe.CgTGAN) {
			r.Method.Samples, r.Method.Baseline = 1, method.BaselineSample
		}, "samples is 1"},
		"a run that diverges": {func(r *recipe.CgTGAN) {
			r.Start.Epochs, r.Method.Generator.Schedule.LearningRate, r.Method.Generator.ClipNorm = 0, 1e12, 0
		}, "lower the learning rate"},
		"a collapse": {func(r *recipe.CgTGAN) {
			r.Method.Generator.Schedule.LearningRate, r.Collapse = 1e-9, recipe.Variety{Least: 0.9, After: 3}
		}, "photos get the same caption"},
	} {
		t.Run(name, func(t *testing.T) {
			r := small
			test.change(&r)
			refused(t, r, filepath.Join(t.TempDir(), "out"), dir, test.want)
		})
	}
}
