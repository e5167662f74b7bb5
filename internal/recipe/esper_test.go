package recipe_test

import (
	"bytes"
	"path/filepath"
	"strconv"
	"strings"
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
	if all, kept := same(t, r.LanguageModel, folder); all == 0 || kept != all {
		t.Errorf("%d of %d tensors of the frozen language model are as they were", kept, all)
	}
	captions(t, left, filepath.Join(r.Photos, "2.png"))
}

// TestESPERStyle: behind labels the language model learns first how the corpora speak, and
// then the mapper before it, from runs that were stopped in either part, to the bit as one
// that was not.
func TestESPERStyle(t *testing.T) {
	dir := t.TempDir()
	r := smallESPER(t, dir)
	write(t, filepath.Join(dir, "verse.txt"), []byte("thou art a dog\nthou art a cat\nthou art green\n"))
	r.Style = recipe.ESPERStyle{
		Corpora: map[string]recipe.TextData{"Photo:": r.Data, "Verse:": {Text: []string{filepath.Join(dir, "verse.txt")}}},
		Batch:   4, Epochs: 8, MaxTokens: 16, Optimizer: optimizer(0),
	}
	r.Style.Optimizer.Schedule.LearningRate = 1e-2
	r.Data, r.Prompt = recipe.TextData{}, "Verse:"
	left := filepath.Join(dir, "left")
	trainsTheSame(t, r, left, dir, 3)
	later := filepath.Join(dir, "later")
	stopped(t, r, later, dir, 6, 12)
	if !bytes.Equal(contents(t, left, "model.safetensors"), contents(t, later, "model.safetensors")) {
		t.Error("model.safetensors differs after a stop of the mapper's updates")
	}
	folder, err := modelfolder.Open(left)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if prompt := folder.GPTTokenizer.Decode(folder.Config.Captioner.Prompt); prompt != "Verse:" {
		t.Errorf("its prompt is %q", prompt)
	}
	if all, kept := same(t, r.LanguageModel, folder); kept == all {
		t.Error("the language model learned nothing of the corpora")
	}
	var losses []float64
	for line := range strings.Lines(string(contents(t, left+".run/style.run", "log.csv"))) {
		if loss, err := strconv.ParseFloat(strings.Split(line, ",")[1], 64); err == nil { // not the heading
			losses = append(losses, loss)
		}
	}
	if n := len(losses); n < 8 || losses[n-1] > 0.8*losses[0] {
		t.Errorf("the language model's losses are %v", losses)
	}
	for name, test := range map[string]struct {
		change func(r *recipe.ESPER)
		want   string
	}{
		"another prompt": {func(r *recipe.ESPER) { r.Prompt = "News:" }, `prompt is "News:", want one of the labels of style.corpora: Photo:, Verse:`},
		"openers":        {func(r *recipe.ESPER) { r.Data = r.Style.Corpora["Photo:"] }, "prompts are the labels"},
		"no epochs":      {func(r *recipe.ESPER) { r.Style.Epochs = 0 }, "style: "},
		"an empty corpus": {func(r *recipe.ESPER) {
			r.Style.Corpora = map[string]recipe.TextData{"Verse:": {}}
		}, "style: Verse:: no text"},
	} {
		t.Run(name, func(t *testing.T) {
			r := r
			test.change(&r)
			refused(t, r, filepath.Join(t.TempDir(), "out"), dir, test.want)
		})
	}
}

// same compares a folder's language model with another, and counts its tensors and those
// that are the same.
func same(t *testing.T, languageModel string, folder *modelfolder.Folder) (all, kept int) {
	t.Helper()
	before, err := modelfolder.Open(languageModel)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	for _, was := range before.Tensors {
		for _, is := range folder.Tensors {
			if is.Name == was.Name {
				all++
				if bytes.Equal(is.Data, was.Data) {
					kept++
				}
			}
		}
	}
	return all, kept
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
