package main

import (
	"slices"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/nn"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// writeRandomModel writes a small model folder of random weights, the same
// each time: it captions nonsense, fast.
func writeRandomModel(t testing.TB, dir string) {
	t.Helper()
	writeModel(t, dir, "random ViT")
}

// writeModel writes such a folder whose CLIP has that name.
func writeModel(t testing.TB, dir, clipName string) {
	t.Helper()
	corpus := slices.Values([]string{"a dog runs on the grass .", "a cat sits on a mat ."})
	clipTokens, err := tokenizer.Train(tokenizer.CLIP, corpus, 530)
	if err != nil {
		t.Fatal(err)
	}
	gptTokens, err := tokenizer.Train(tokenizer.GPT2, corpus, 280)
	if err != nil {
		t.Fatal(err)
	}
	stop, _ := gptTokens.ID(".")
	image := imageproc.CLIP(16)
	m := modelfolder.Model{
		Config: modelfolder.Config{
			Version: modelfolder.Version, Name: "random", CLIPName: clipName, Image: &image,
			CLIP: &clip.Config{
				EmbedDim: 8, Activation: clip.QuickGELU,
				Vision: clip.Vision{ImageSize: 16, PatchSize: 8, Width: 8, Layers: 1, Heads: 2},
				Text:   clip.Text{ContextLength: 16, VocabSize: clipTokens.Size(), Width: 8, Layers: 1, Heads: 2},
			},
			Captioner: &clipcap.Config{
				Mapper: mapper.Config{Kind: mapper.KindMLP, ClipWidth: 8, PrefixLength: 2, Width: 8},
				GPT:    gpt2.Config{VocabSize: gptTokens.Size(), Positions: 16, Width: 8, Layers: 1, Heads: 2, Epsilon: 1e-5},
			},
			StopTokens: []int{stop}, MaxTokens: 10,
		},
		CLIPTokenizer: clipTokens, GPTTokenizer: gptTokens,
	}
	engine, store := golden.Engine(t), model.NewStore()
	store.SetParam("/"+nn.SeedParam, int64(1))
	if err := weights.Declare(engine, store, m.Config.Declare); err != nil {
		t.Fatal(err)
	}
	if err := store.InitializeVariables(engine, nil); err != nil {
		t.Fatal(err)
	}
	if m.Tensors, err = weights.Export(store, weights.F32, clip.Scope, clipcap.MapperScope, clipcap.GPTScope); err != nil {
		t.Fatal(err)
	}
	if err := modelfolder.Write(dir, m); err != nil {
		t.Fatal(err)
	}
}
