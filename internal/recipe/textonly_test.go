package recipe_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/recipe"
	"github.com/cutline-go/cutline/internal/train"
)

// trainable is a recipe.
type trainable interface {
	Train(ctx context.Context, run recipe.Run) error
}

// smallTextOnly are recipes of all methods that learn from texts, over the parts of c
// and the captions of its photos, judged by texts.
func smallTextOnly(c recipe.ClipCap) map[string]trainable {
	data := recipe.TextData{Text: []string{c.Data.Captions}, Split: "train"}
	val := recipe.Val{Texts: []string{c.Data.Captions}, Limit: 4, Every: 6, Select: "val_loss", Samples: 1}
	pace, photos := recipe.Pace{SaveEvery: 2, LogEvery: 1}, c.Data.Photos
	m := mapper.Config{Kind: mapper.KindMLP, PrefixLength: 2}
	o := optimizer(12)
	return map[string]trainable{
		"capdec": recipe.CapDec{
			Name: "small", CLIP: c.CLIP, LanguageModel: c.LanguageModel, Data: data, Swap: batches.SwapBoth,
			Photos: photos, Offset: true, Mapper: m, Batch: 4, Pace: pace, Val: val, Seed: 9,
			Method: method.CapDecConfig{Noise: method.PaperNoise(), MaxTokens: 16, Optimizer: o},
		},
		"unsupervised-clipcap": recipe.UnsupervisedClipCap{
			Name: "small", CLIP: c.CLIP, LanguageModel: c.LanguageModel, Data: data, Photos: photos, Mapper: m,
			Batch: 4, Pace: pace, Val: val, Seed: 9, Normalize: true,
			Method: method.UnsupervisedClipCapConfig{Matched: true, MaxTokens: 16, Optimizer: o},
		},
		"decap": recipe.DeCap{
			Name: "small", CLIP: c.CLIP, Data: data, Length: 10, Memory: 7, Temperature: 100,
			Network: gpt2.Config{Positions: 24, Width: 16, Layers: 1, Heads: 2, Epsilon: 1e-5, ResidualDropout: 0.1},
			Batch:   4, Pace: pace, Val: val, Seed: 9, Align: modelfolder.AlignMemory,
			Method: method.DeCapConfig{LabelSmoothing: 0.1, MaxTokens: 16, Optimizer: o},
		},
		"magic": recipe.MAGIC{
			Name: "small", CLIP: c.CLIP, LanguageModel: c.LanguageModel, Data: data, Batch: 4, Pace: pace, Val: val, Seed: 9,
			Method: method.MAGICConfig{Margin: 0.5, MaxTokens: 16, Optimizer: o},
			Search: recipe.MAGICSearch{K: 5, Alpha: 0.1, Beta: 2, Length: 8},
		},
	}
}

// TestTextOnlyTrains: each method makes a folder that captions a photo, from a run that
// was stopped on its way and went on, to the bit as one that was not; and says that no
// labelled data chose its weights.
func TestTextOnlyTrains(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, dir)
	for name, r := range smallTextOnly(c) {
		t.Run(name, func(t *testing.T) {
			left := filepath.Join(dir, name)
			trainsTheSame(t, r, left, dir, 7)
			if run := contents(t, left, "run.json"); !strings.Contains(string(run), `"chosen_by_labelled_data": false`) || !strings.Contains(string(run), `"by": "val_loss"`) {
				t.Errorf("run.json is %s", run)
			}
			captions(t, left, filepath.Join(c.Data.Photos, "2.png"))
		})
	}
}

// trainsTheSame runs a recipe into left, and once more into a folder beside it, where it
// is stopped after each of these updates and goes on; and compares what comes out.
func trainsTheSame(t *testing.T, r trainable, left, cache string, stops ...int) {
	t.Helper()
	if err := r.Train(t.Context(), testRun(t, left, cache)); err != nil {
		t.Fatal(err)
	}
	stopped := left + "-stopped"
	for _, update := range stops {
		stop(t, r, stopped, cache, update)
	}
	if err := r.Train(t.Context(), testRun(t, stopped, cache)); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"model.safetensors", "config.json"} {
		if !bytes.Equal(contents(t, left, file), contents(t, stopped, file)) {
			t.Errorf("%s differs after a stop", file)
		}
	}
}

// logged compares the heading of a run's log.
func logged(t *testing.T, out, want string) {
	t.Helper()
	log, err := os.ReadFile(out + ".run/log.csv")
	if err != nil {
		t.Fatal(err)
	}
	if heading, _, _ := strings.Cut(string(log), "\n"); heading != want {
		t.Errorf("the log has %s, want %s", heading, want)
	}
}

// stop runs a recipe and interrupts it after an update.
func stop(t *testing.T, r trainable, out, cache string, update int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	run := testRun(t, out, cache)
	run.Report = func(p train.Progress) {
		if p.Stage == train.Training && p.Done == update {
			cancel()
		}
	}
	if err := r.Train(ctx, run); !errors.Is(err, context.Canceled) {
		t.Fatalf("the stopped run: %v", err)
	}
}

func contents(t *testing.T, folder, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// captions asks the model for a caption in each way that it has. A model that has
// learned for a moment may have no word; it may not fail otherwise.
func captions(t *testing.T, folder, photo string) {
	t.Helper()
	c, err := captioner.Open(folder, captioner.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	file, err := os.Open(photo)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := c.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	ways := 0
	for _, align := range []string{"", "none", "mean", "memory", "nearest", "caption", "textualise"} {
		other, err := c.With(captioner.Decoding{Align: align})
		if err != nil {
			continue
		}
		ways++
		caption, err := other.Caption(t.Context(), picture)
		if err != nil && !errors.Is(err, captioner.ErrEmpty) {
			t.Errorf("align %q: %v", align, err)
		}
		if align == "caption" && !strings.Contains(strings.ToLower(caption.Text), "wall") {
			t.Errorf("the nearest text is %q", caption.Text)
		}
	}
	if ways < 2 {
		t.Errorf("it captions in %d ways", ways)
	}
}

// TestTextOnlyRefuses what nothing can be learned from, before anything is written.
func TestTextOnlyRefuses(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, dir)
	text := func(name, content string) recipe.TextData {
		path := filepath.Join(dir, name)
		write(t, path, []byte(content))
		return recipe.TextData{Text: []string{path}}
	}
	recipes := smallTextOnly(c)
	capDec, matched := recipes["capdec"].(recipe.CapDec), recipes["unsupervised-clipcap"].(recipe.UnsupervisedClipCap)
	capDec.Swap, capDec.Offset = "", false
	long := strings.Repeat("a very long line of many words ", 20) + "\n"
	for name, test := range map[string]struct {
		change func()
		want   string
	}{
		"no file":         {func() { capDec.Data = recipe.TextData{} }, "data.text names no file"},
		"an empty corpus": {func() { capDec.Data = text("empty.txt", "\n \n") }, "empty.txt: no text"},
		"no words":        {func() { capDec.Data = text("dots.txt", " . \n...\n") }, "dots.txt: no captions"},
		"no such split": {func() {
			capDec.Data = recipe.TextData{Text: []string{c.Data.Captions}, Split: "test"}
		}, "no captions of split test"},
		"captions longer than the context": {func() { capDec.Data = text("long.txt", long+long+"A dog.\n") }, "2 of 3 captions have more than 16 tokens"},
		"open text of a caption file": {func() {
			capDec.Data = recipe.TextData{Text: []string{c.Data.Captions}, OpenText: true}
		}, "open_text is for plain text"},
		"another format":           {func() { capDec.Data = text("captions.dat", "a dog runs\n") }, "name plain text .txt"},
		"an offset without photos": {func() { capDec.Offset, capDec.Photos = true, "" }, "photos names none"},
		"a folder without photos":  {func() { capDec.Photos = t.TempDir() }, "no photos"},
		"noise of no kind":         {func() { capDec.Method.Noise.Kind = "loud" }, "noise: kind"},
		"a swap that there is not": {func() { capDec.Swap = "all" }, "swap is"},
		"a loss that diverges": {func() {
			capDec.Method.Optimizer.Schedule.LearningRate, capDec.Method.Optimizer.ClipNorm = 1e12, 0
		}, "lower the learning rate"},
	} {
		t.Run(name, func(t *testing.T) {
			was := capDec
			defer func() { capDec = was }()
			test.change()
			refused(t, capDec, filepath.Join(dir, "out"), dir, test.want)
		})
	}
	matched.Data = text("lines.txt", "A red wall.\nA green wall.\n")
	refused(t, matched, filepath.Join(dir, "out"), dir, "every photo has one caption")
	nan := capDec
	nan.CLIP = brokenCLIP(t, c.CLIP, filepath.Join(dir, "broken"))
	refused(t, nan, filepath.Join(dir, "out"), dir, `embedding texts by the CLIP of model "small-clip": embeddings: embedding 0: value 0 is NaN`)
}

func refused(t *testing.T, r trainable, out, cache, want string) {
	t.Helper()
	err := r.Train(t.Context(), testRun(t, out, cache))
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v, want one line with %q", err, want)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a model folder was written")
	}
}

// brokenCLIP copies a CLIP whose text tower has a NaN in it.
func brokenCLIP(t *testing.T, from, to string) string {
	t.Helper()
	folder, err := modelfolder.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	for i, tensor := range folder.Tensors {
		if tensor.Name == "clip.text_projection" {
			folder.Tensors[i].Data = bytes.Clone(tensor.Data)
			bits := math.Float32bits(float32(math.NaN()))
			copy(folder.Tensors[i].Data, []byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)})
		}
	}
	if err := modelfolder.Write(to, folder.Model); err != nil {
		t.Fatal(err)
	}
	return to
}
