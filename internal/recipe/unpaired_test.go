package recipe_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/cyclegan"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/recipe"
	"github.com/cutline-go/cutline/internal/train"
)

// smallCycleGAN is a recipe over the parts of c, whose photos and captions it takes
// apart.
func smallCycleGAN(c recipe.ClipCap) recipe.LatentCycleGAN {
	decoder, players := optimizer(6), optimizer(40)
	players.AdamW.Beta1 = 0.5
	players.Schedule = train.Schedule{LearningRate: 1e-2, Decay: train.Linear, Hold: 0.5}
	players.Average = 0.9
	return recipe.LatentCycleGAN{
		Name: "small", CLIP: c.CLIP, Data: recipe.TextData{Text: []string{c.Data.Captions}, Split: "train"}, Photos: c.Data.Photos,
		Text: recipe.TextDecoder{
			LanguageModel: c.LanguageModel, Mapper: mapper.Config{Kind: mapper.KindMLP, PrefixLength: 2}, Batch: 4,
			Method: method.CapDecConfig{Noise: method.Noise{Kind: method.Gaussian}, MaxTokens: 16, Optimizer: decoder},
			Pace:   recipe.Pace{SaveEvery: 2, LogEvery: 1},
		},
		Generator: cyclegan.Config{Layers: 2, FinalActivation: true, Normalize: true},
		Batch:     4, Seed: 9, Pace: recipe.Pace{SaveEvery: 1, LogEvery: 1},
		Val: recipe.Val{Data: recipe.Data{Captions: c.Data.Captions, Photos: c.Data.Photos, Split: "val"}, Every: 5, Samples: 1},
		Method: method.LatentCycleGANConfig{
			Adversarial: 1, Cycle: 10, Identity: 5, Hidden: 8, Pool: 6, Optimizer: players, DiscriminatorRate: 2,
		},
	}
}

// stopped trains into a folder, is stopped after an update of the method's own run, and
// goes on.
func stopped(t *testing.T, r trainable, out, cache string, at, of int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	run := testRun(t, out, cache)
	run.Report = func(p train.Progress) {
		if p.Stage == train.Training && p.Done == at && p.Of == of {
			cancel()
		}
	}
	if err := r.Train(ctx, run); !errors.Is(err, context.Canceled) {
		t.Fatalf("the stopped run: %v", err)
	}
	if err := r.Train(t.Context(), testRun(t, out, cache)); err != nil {
		t.Fatal(err)
	}
}

// TestLatentCycleGANTrains makes a folder that captions a photo textualised and as it
// is, from a run that was stopped in either part and went on, to the bit as one that was
// not; and another one for a captioner that is there already.
func TestLatentCycleGANTrains(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, dir)
	gan := smallCycleGAN(c)
	left := filepath.Join(dir, "left")
	if err := gan.Train(t.Context(), testRun(t, left, dir)); err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]int{"decoder": 6, "gan": 40} {
		out := filepath.Join(dir, "stopped-"+name)
		stopped(t, gan, out, dir, of/2, of)
		for _, file := range []string{"model.safetensors", "config.json"} {
			if !bytes.Equal(contents(t, left, file), contents(t, out, file)) {
				t.Errorf("%s differs after a stop of the %s", file, name)
			}
		}
	}
	if config := string(contents(t, left, "config.json")); !strings.Contains(config, `"align": "textualise"`) {
		t.Errorf("config.json is %s", config)
	}
	log := string(contents(t, left+".run", "log.csv"))
	if !strings.HasPrefix(log, "update,loss,adversarial,cycle,identity,spread,gradient_norm,learning_rate,discriminator_loss,discriminator_gradient_norm,") {
		t.Errorf("log.csv begins %.200s", log)
	}
	if scores := string(contents(t, left+".run", "val.csv")); !strings.HasPrefix(scores, "update,val_cider,val_distinct,val_direct_cider\n") {
		t.Errorf("val.csv begins %.200s", scores)
	}
	captions(t, left, filepath.Join(c.Data.Photos, "2.png"))

	given := gan
	given.CLIP, given.Decoder = "", filepath.Join(left+".run", "decoder")
	out := filepath.Join(dir, "given")
	if err := given.Train(t.Context(), testRun(t, out, dir)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(contents(t, left, "model.safetensors"), contents(t, out, "model.safetensors")) {
		t.Error("with the same decoder from elsewhere the model differs")
	}
}

// TestLatentCycleGANRefuses what nothing can be learned from, and ends what learns
// nothing, with a checkpoint from before.
func TestLatentCycleGANRefuses(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, dir)
	decoder := filepath.Join(dir, "decoder")
	trained := smallCycleGAN(c)
	if err := trained.Train(t.Context(), testRun(t, decoder, dir)); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "empty.txt"), []byte("\n \n"))
	asTheyAre := filepath.Join(dir, "as-they-are")
	if err := c.Train(t.Context(), testRun(t, asTheyAre, dir)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*recipe.LatentCycleGAN)
		want   string
	}{
		"no photos named":                   {func(g *recipe.LatentCycleGAN) { g.Photos = "" }, "photos names no folder or archive"},
		"a folder without":                  {func(g *recipe.LatentCycleGAN) { g.Photos = t.TempDir() }, "no photos"},
		"no text":                           {func(g *recipe.LatentCycleGAN) { g.Data = recipe.TextData{} }, "data.text names no file"},
		"an empty corpus":                   {func(g *recipe.LatentCycleGAN) { g.Data.Text = []string{filepath.Join(dir, "empty.txt")} }, "empty.txt: no text"},
		"two CLIPs":                         {func(g *recipe.LatentCycleGAN) { g.CLIP = c.CLIP }, "the decoder brings the CLIP"},
		"no captioner":                      {func(g *recipe.LatentCycleGAN) { g.Decoder = c.CLIP }, "want a language model or a captioner"},
		"a decoder that does not normalise": {func(g *recipe.LatentCycleGAN) { g.Decoder = asTheyAre }, "is no captioner that reads embeddings divided by their lengths"},
		"another width":                     {func(g *recipe.LatentCycleGAN) { g.Generator.Width = 5 }, "width"},
		"tanh, not normal":                  {func(g *recipe.LatentCycleGAN) { g.Generator.Normalize = false }, "final_activation"},
		"no hidden layer":                   {func(g *recipe.LatentCycleGAN) { g.Method.Hidden = 0 }, "hidden is 0"},
		"a noisy decoder":                   {func(g *recipe.LatentCycleGAN) { g.Decoder, g.Text.Method.Noise.Variance = "", 0.1 }, "want 0"},
		"translations that run away": {func(g *recipe.LatentCycleGAN) {
			g.Generator.FinalActivation, g.Method.Optimizer.Schedule.LearningRate = false, 1e3
		}, "from before and is kept: lower the learning rate"},
		"translations all alike": {func(g *recipe.LatentCycleGAN) {
			g.Least, g.Method.Optimizer.Schedule.LearningRate = 0.9, 1e-9
		}, "checkpoint-10 is from before and is kept: photos are all translated into the same"},
	} {
		t.Run(name, func(t *testing.T) {
			gan := trained
			gan.CLIP, gan.Decoder = "", decoder
			test.change(&gan)
			refused(t, gan, filepath.Join(t.TempDir(), "out"), dir, test.want)
		})
	}
	nan := trained
	nan.CLIP = brokenCLIP(t, c.CLIP, filepath.Join(dir, "broken"))
	refused(t, nan, filepath.Join(dir, "out"), dir, "NaN")
}

// TestKilledGANEndsAsOneLeftAlone does so with two players, and the captioner that is
// trained before them.
func TestKilledGANEndsAsOneLeftAlone(t *testing.T) {
	compareKilled(t, 5, func() string {
		dir := t.TempDir()
		gan := smallCycleGAN(smallCaptioner(t, dir))
		gan.Val.Select = "val_cider"
		writeConfig(t, filepath.Join(dir, "latent-cyclegan.json"), gan)
		return filepath.Join(dir, "model")
	})
}
