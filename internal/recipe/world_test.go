package recipe_test

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/engine"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/recipe"
	"github.com/cutline-go/cutline/internal/train"
)

// writeWorld fills dir with photos of one colour each and captions that name it, of
// which the last two make the split val.
func writeWorld(t *testing.T, dir string) recipe.Data {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, "photos"), 0o755); err != nil {
		t.Fatal(err)
	}
	captions, err := os.Create(filepath.Join(dir, "captions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer captions.Close()
	colours := map[string]color.RGBA{"red": {R: 255, A: 255}, "green": {G: 255, A: 255}, "blue": {B: 255, A: 255}, "white": {255, 255, 255, 255}}
	for i, name := range []string{"red", "green", "blue", "white", "red", "green", "blue", "white"} {
		record := dataset.Record{Image: fmt.Sprintf("%d.png", i), Split: "train", Captions: []string{
			"A " + name + " wall.", "The wall is " + name + ".",
		}}
		if i >= 6 {
			record.Split = "val"
		}
		writePNG(t, filepath.Join(dir, "photos", record.Image), colours[name], 8+i)
		line, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(captions, "%s\n", line)
	}
	return recipe.Data{Captions: captions.Name(), Photos: filepath.Join(dir, "photos"), Split: "train"}
}

func writePNG(t *testing.T, path string, c color.RGBA, side int) {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, side, side+2))
	for y := range side + 2 {
		for x := range side {
			picture.Set(x, y, c)
		}
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, picture); err != nil {
		t.Fatal(err)
	}
}

func optimizer(updates int) train.Optimizer {
	return train.Optimizer{
		AdamW:    train.PaperAdamW(),
		Schedule: train.Schedule{LearningRate: 1e-2, Warmup: 2, Decay: train.Cosine},
		Updates:  updates, ClipNorm: 1, Seed: 7,
	}
}

func smallCLIP(data recipe.Data) recipe.CLIP {
	return recipe.CLIP{
		Name: "small-clip", Data: data, Batch: 4, Seed: 3, Optimizer: optimizer(3),
		Augment: batches.Augment{MinArea: 0.5, MaxAspect: 1.2},
		Network: clip.Config{
			EmbedDim: 8, Activation: clip.QuickGELU,
			Vision: clip.Vision{ImageSize: 8, PatchSize: 4, Width: 8, Layers: 1, Heads: 2},
			Text:   clip.Text{ContextLength: 16, VocabSize: 540, Width: 8, Layers: 1, Heads: 2},
		},
		Pace: recipe.Pace{SaveEvery: 2, LogEvery: 1},
	}
}

// smallCaptioner trains what a captioner is made of into dir, and returns the recipe
// of the captioner.
func smallCaptioner(t *testing.T, dir string) recipe.ClipCap {
	t.Helper()
	data := writeWorld(t, dir)
	clipFolder, lmFolder := filepath.Join(dir, "clip"), filepath.Join(dir, "lm")
	if err := smallCLIP(data).Train(t.Context(), testRun(t, clipFolder, dir)); err != nil {
		t.Fatal(err)
	}
	lm := recipe.LanguageModel{
		Name: "small-lm", Captions: data.Captions, Split: "train", Batch: 4, MaxTokens: 16, Optimizer: optimizer(3), Seed: 5,
		Network: gpt2.Config{VocabSize: 280, Positions: 24, Width: 16, Layers: 1, Heads: 2, Epsilon: 1e-5},
		Pace:    recipe.Pace{SaveEvery: 2, LogEvery: 1},
	}
	if err := lm.Train(t.Context(), testRun(t, lmFolder, dir)); err != nil {
		t.Fatal(err)
	}
	return recipe.ClipCap{
		Name: "small", CLIP: clipFolder, LanguageModel: lmFolder, Data: data, Batch: 4, Seed: 9,
		Mapper:  mapper.Config{Kind: mapper.KindMLP, PrefixLength: 2},
		Views:   2,
		Augment: batches.Augment{MinArea: 0.5, MaxAspect: 1.2},
		Method:  method.ClipCapConfig{MaxTokens: 16, Optimizer: optimizer(12)},
		Pace:    recipe.Pace{SaveEvery: 1, LogEvery: 1},
	}
}

func testRun(t *testing.T, out, cache string) recipe.Run {
	t.Helper()
	e, err := engine.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Finalize)
	return recipe.Run{Engine: e, Out: out, Cache: filepath.Join(cache, "cache"), Report: func(train.Progress) {}}
}
