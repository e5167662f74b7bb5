package clip_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/weights"
)

// The bounds of the golden files for features of float32 and of fp16 weights.
const (
	tolerance     = 1e-4
	toleranceHalf = 2e-3
)

// TestGoldenCLIP runs the encodings of one ViT: OpenAI's names in safetensors, in
// float32 and fp16, in a torch file, new and old, and as OpenAI ships it, a TorchScript
// archive; Hugging Face's names; and the same weights with the exact GELU. And a
// ModifiedResNet.
func TestGoldenCLIP(t *testing.T) {
	for _, test := range []struct {
		dir, file, io string
		activation    clip.Activation
		tolerance     float64
	}{
		{"clip_vit", "openai.safetensors", "io.safetensors", clip.QuickGELU, tolerance},
		{"clip_vit", "openai_fp16.safetensors", "io.safetensors", clip.QuickGELU, toleranceHalf},
		{"clip_vit", "state_dict.pt", "io.safetensors", clip.QuickGELU, tolerance},
		{"clip_vit", "state_dict_legacy.pt", "io.safetensors", clip.QuickGELU, tolerance},
		{"clip_vit", "torchscript.pt", "io.safetensors", clip.QuickGELU, tolerance},
		{"clip_vit", "hf/model.safetensors", "io.safetensors", clip.QuickGELU, tolerance},
		{"clip_vit", "openai.safetensors", "io_gelu.safetensors", clip.GELU, tolerance},
		{"clip_rn", "openai.safetensors", "io.safetensors", clip.QuickGELU, tolerance},
		{"clip_rn", "torchscript.pt", "io.safetensors", clip.QuickGELU, tolerance},
	} {
		t.Run(test.dir+"/"+test.file+"/"+string(test.activation), func(t *testing.T) {
			dir := golden.Dir(t, test.dir)
			tensors, err := weights.OpenAICLIP(golden.Load(t, filepath.Join(dir, test.file)).Tensors())
			if err != nil {
				t.Fatal(err)
			}
			config, err := clip.Infer(weights.Shapes(tensors))
			if err != nil {
				t.Fatal(err)
			}
			config.Activation = test.activation
			run := load(t, config, tensors)
			io := golden.Load(t, filepath.Join(dir, test.io))
			out, err := run.Call(golden.Input(t, io, "image"), golden.Input(t, io, "tokens"))
			if err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, "image_features", golden.Values(t, out[0]), golden.Floats(t, io, "image_features"), test.tolerance)
			golden.Compare(t, "text_features", golden.Values(t, out[1]), golden.Floats(t, io, "text_features"), test.tolerance)
			if _, ok := io.Tensor("logits_per_image"); ok {
				golden.Compare(t, "logits_per_image", golden.Values(t, out[2]), golden.Floats(t, io, "logits_per_image"), test.tolerance)
			}
		})
	}
}

// TestGoldenHalfIsItsValues holds the features of a file of halves against those of a
// file of their values as float32, bit for bit.
func TestGoldenHalfIsItsValues(t *testing.T) {
	for _, test := range []struct{ dir, file string }{
		{"clip_vit", "openai_fp16.safetensors"}, {"clip_vit", "torchscript.pt"}, {"clip_rn", "torchscript.pt"},
	} {
		t.Run(test.dir+"/"+test.file, func(t *testing.T) {
			dir := golden.Dir(t, test.dir)
			tensors, err := weights.OpenAICLIP(golden.Load(t, filepath.Join(dir, test.file)).Tensors())
			if err != nil {
				t.Fatal(err)
			}
			config, err := clip.Infer(weights.Shapes(tensors))
			if err != nil {
				t.Fatal(err)
			}
			io := golden.Load(t, filepath.Join(dir, "io.safetensors"))
			var features [2][][]float32
			for i, dtype := range []weights.DType{weights.F16, weights.F32} {
				if tensors, err = weights.Cast(tensors, dtype); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(t.TempDir(), "model.safetensors")
				if err := weights.WriteSafetensors(path, tensors, nil); err != nil {
					t.Fatal(err)
				}
				out, err := load(t, config, golden.Load(t, path).Tensors()).Call(golden.Input(t, io, "image"), golden.Input(t, io, "tokens"))
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range out {
					features[i] = append(features[i], golden.Values(t, o))
				}
			}
			for i, half := range features[0] {
				if !slices.Equal(half, features[1][i]) {
					t.Errorf("output %d differs", i)
				}
			}
		})
	}
}

// TestGoldenHuggingFaceConfig holds the two ways to a configuration against each
// other: the folder's config.json and the shapes of its tensors.
func TestGoldenHuggingFaceConfig(t *testing.T) {
	dir := filepath.Join(golden.Dir(t, "clip_vit"), "hf")
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	written, err := clip.ParseHuggingFace(data)
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := weights.OpenAICLIP(golden.Load(t, filepath.Join(dir, "model.safetensors")).Tensors())
	if err != nil {
		t.Fatal(err)
	}
	inferred, err := clip.Infer(weights.Shapes(tensors))
	if err != nil {
		t.Fatal(err)
	}
	if written != inferred {
		t.Errorf("config.json says %+v, the tensors say %+v", written, inferred)
	}
}

// load returns a graph from pixels and ids to both features and the logits.
func load(t *testing.T, config clip.Config, tensors []weights.Tensor) *model.Exec {
	engine, store := golden.Engine(t), model.NewStore()
	network := func(root *model.Scope, inputs []*Node) []*Node {
		image, text := config.EncodeImage(root, inputs[0]), config.EncodeText(root, inputs[1])
		return []*Node{image, text, config.Logits(root, image, text)}
	}
	if err := weights.Declare(engine, store, config.Declare); err != nil {
		t.Fatal(err)
	}
	if err := weights.LoadOn(engine, store, tensors); err != nil {
		t.Fatal(err)
	}
	run, err := model.NewExec(engine, store, network)
	if err != nil {
		t.Fatal(err)
	}
	return run
}
