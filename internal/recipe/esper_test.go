package recipe_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/recipe"
)

// smallESPER trains what ESPER begins with into dir, and returns a recipe of it whose
// first updates have no reward.
func smallESPER(t *testing.T, dir string) recipe.ESPER {
	t.Helper()
	c := smallCaptioner(t, dir)
	o := optimizer(12)
	o.Average = 0.9
	return recipe.ESPER{
		Name: "small", CLIP: c.CLIP, LanguageModel: c.LanguageModel, Photos: c.Data.Photos, Prompt: "A photo of",
		Data: recipe.TextData{Text: []string{c.Data.Captions}, Split: "train"}, Openers: 2,
		Mapper: mapper.Config{Kind: mapper.KindMLP, PrefixLength: 2}, Batch: 8,
		Method: method.ESPERConfig{
			Gain: 50, Bias: -10, After: 3, KL: 0.15, Entropy: 0.1, EntropyBound: 10, LengthBonus: 3, Repetition: 0.025,
			KLMargin: 0.1, EntropyPenalty: 0.2, Discount: 1, Trace: 0.95, Clip: 0.2, Minibatches: 2, Passes: 2,
			Tokens: 6, Temperature: 0.7, NoRepeatNgram: 3, Optimizer: o,
		},
		Pace: recipe.Pace{SaveEvery: 1, LogEvery: 1}, Seed: 9,
	}
}

// TestESPERTrains: it makes a folder that captions a photo behind its prompt, from a run
// that was stopped on its way and went on, to the bit as one that was not.
func TestESPERTrains(t *testing.T) {
	dir := t.TempDir()
	r := smallESPER(t, dir)
	left := filepath.Join(dir, "left")
	trainsTheSame(t, r, left, dir, 7)
	logged(t, left, "update,loss,surrogate,kl_hinge,entropy_hinge,kl,gradient_norm,learning_rate,value_loss,value_gradient_norm,cosine,reward,drift,distinct,examples_per_second")
	folder, err := modelfolder.Open(left)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	prompt := folder.Config.Captioner.Prompt
	if folder.GPTTokenizer.Decode(prompt) != r.Prompt || folder.Config.Captioner.Scale == 0 {
		t.Errorf("its prompt is %v, its scale %g", prompt, folder.Config.Captioner.Scale)
	}
	if same(t, r.LanguageModel, folder) == 0 {
		t.Error("no tensor of the language model was compared")
	}
	captions(t, left, filepath.Join(r.Photos, "2.png"))
}

// same compares a folder's language model with the one that was to stay as it is, and
// counts its tensors.
func same(t *testing.T, languageModel string, folder *modelfolder.Folder) int {
	t.Helper()
	before, err := modelfolder.Open(languageModel)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	count := 0
	for _, was := range before.Tensors {
		for _, is := range folder.Tensors {
			if is.Name == was.Name {
				count++
				if !bytes.Equal(is.Data, was.Data) {
					t.Errorf("%s of the frozen language model moved", is.Name)
				}
			}
		}
	}
	return count
}

// TestESPERRefuses what nothing can be learned from, and gives up a run that diverges or
// says the same of all photos.
func TestESPERRefuses(t *testing.T) {
	dir := t.TempDir()
	small := smallESPER(t, dir)
	write(t, filepath.Join(dir, "empty.txt"), []byte(" .\n...\n"))
	for name, test := range map[string]struct {
		change func(r *recipe.ESPER)
		want   string
	}{
		"an emptied corpus":         {func(r *recipe.ESPER) { r.Data.Text = []string{filepath.Join(dir, "empty.txt")} }, "no captions"},
		"no photos":                 {func(r *recipe.ESPER) { r.Photos = "" }, "photos names neither"},
		"no prompt":                 {func(r *recipe.ESPER) { r.Prompt = "" }, "prompt is empty"},
		"texts without room":        {func(r *recipe.ESPER) { r.Method.Tokens = 40 }, "exceed the language model's room"},
		"minibatches of other size": {func(r *recipe.ESPER) { r.Batch = 7 }, "equal minibatches"},
		"a run that diverges": {func(r *recipe.ESPER) {
			r.Method.Optimizer.Schedule.LearningRate, r.Method.Optimizer.ClipNorm = 1e30, 0
		}, "lower the learning rate"},
		"a collapse": {func(r *recipe.ESPER) {
			r.Method.Optimizer.Schedule.LearningRate, r.Collapse = 1e-9, recipe.Variety{Least: 1.1, After: 3}
		}, "photos get the same caption"},
	} {
		t.Run(name, func(t *testing.T) {
			r := small
			test.change(&r)
			refused(t, r, filepath.Join(t.TempDir(), "out"), dir, test.want)
		})
	}
}
