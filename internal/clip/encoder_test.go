package clip_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/weights"
)

// goldenEncoder returns the golden CLIP, ready to run, and its inputs and outputs.
func goldenEncoder(t *testing.T) (*clip.Encoder, clip.Config, *weights.File) {
	t.Helper()
	dir := golden.Dir(t, "clip_vit")
	tensors := golden.Load(t, filepath.Join(dir, "openai.safetensors")).Tensors()
	config, err := clip.Infer(weights.Shapes(tensors))
	if err != nil {
		t.Fatal(err)
	}
	for i := range tensors {
		tensors[i].Name = clip.Scope + "." + tensors[i].Name
	}
	engine, store := golden.Engine(t), model.NewStore()
	if err := weights.Declare(engine, store, func(root *model.Scope, g *graph.Graph) { config.Declare(root.At(clip.Scope), g) }); err != nil {
		t.Fatal(err)
	}
	if err := weights.Load(store, tensors); err != nil {
		t.Fatal(err)
	}
	encoder, err := clip.NewEncoder(engine, store, config)
	if err != nil {
		t.Fatal(err)
	}
	return encoder, config, golden.Load(t, filepath.Join(dir, "io.safetensors"))
}

// rows splits values into n rows.
func rows[T any](values []T, n int) [][]T {
	return slices.Collect(slices.Chunk(values, len(values)/n))
}

func tokens(t *testing.T, io *weights.File) [][]int32 {
	t.Helper()
	tensor, _ := io.Tensor("tokens")
	wide, err := tensor.Int64()
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]int32, len(wide))
	for i, id := range wide {
		ids[i] = int32(id)
	}
	return rows(ids, tensor.Shape[0])
}

// TestGoldenEncoder runs more rows than one batch holds, and each row alone.
func TestGoldenEncoder(t *testing.T) {
	encoder, _, io := goldenEncoder(t)
	ctx := t.Context()
	texts := tokens(t, io)
	pixels := rows(golden.Floats(t, io, "image"), len(texts))
	images, textFeatures := golden.Floats(t, io, "image_features"), golden.Floats(t, io, "text_features")

	const copies = 13 // of three rows: one full batch and a rest
	got, err := encoder.Image(ctx, slices.Repeat(pixels, copies))
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "image features", slices.Concat(got...), slices.Repeat(images, copies), tolerance)
	if got, err = encoder.Text(ctx, slices.Repeat(texts, copies)); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "text features", slices.Concat(got...), slices.Repeat(textFeatures, copies), tolerance)

	for i := range texts {
		image, err := encoder.Image(ctx, pixels[i:i+1])
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, "image alone", image[0], rows(images, len(texts))[i], tolerance)
		text, err := encoder.Text(ctx, texts[i:i+1])
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, "text alone", text[0], rows(textFeatures, len(texts))[i], tolerance)
	}
}

func TestEncoderConcurrently(t *testing.T) {
	encoder, _, io := goldenEncoder(t)
	texts := tokens(t, io)
	want := golden.Floats(t, io, "text_features")
	var group sync.WaitGroup
	for n := range 4 {
		group.Go(func() {
			got, err := encoder.Text(t.Context(), texts[:1+n%len(texts)])
			if err != nil {
				t.Error(err)
				return
			}
			flat := slices.Concat(got...)
			golden.Compare(t, "text features", flat, want[:len(flat)], tolerance)
		})
	}
	group.Wait()
}

func TestEncoderRefuses(t *testing.T) {
	encoder, config, io := goldenEncoder(t)
	short := make([]float32, 7)
	if _, err := encoder.Image(t.Context(), [][]float32{short}); err == nil {
		t.Error("a photo of 7 values: no error")
	}
	rising := make([]int32, config.Text.ContextLength+1)
	for i := range rising {
		rising[i] = int32(i)
	}
	for _, ids := range [][]int32{nil, {1, -1, 2}, {1, int32(config.Text.VocabSize)}, rising} {
		if _, err := encoder.Text(t.Context(), [][]int32{ids}); err == nil {
			t.Errorf("ids %v: no error", ids)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := encoder.Text(ctx, tokens(t, io)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
