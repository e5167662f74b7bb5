package convert_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/convert"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

var corpus = []string{"a dog runs on the grass .", "a cat sits on a mat.", "the dog and the cat ."}

// tokens writes a tokenizer of at most size tokens to a folder.
func tokens(t *testing.T, style tokenizer.Style, size int, dir string) string {
	t.Helper()
	trained, err := tokenizer.Train(style, slices.Values(corpus), size)
	if err != nil {
		t.Fatal(err)
	}
	if err := trained.Save(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// size reads a number of a golden config.json, such as "vocab_size".
func size(t *testing.T, path string, keys ...string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		value = value.(map[string]any)[key]
	}
	return int(value.(float64))
}

// sources returns the golden CLIP and GPT-2 with tokenizers that fit them, and the
// ClipCap checkpoint of the given folder.
func sources(t *testing.T, clipcapDir string) convert.Sources {
	t.Helper()
	hf := filepath.Join(golden.Dir(t, "clip_vit"), "hf")
	gpt := filepath.Join(golden.Dir(t, "gpt2"))
	config, err := os.ReadFile(filepath.Join(gpt, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	gptDir := tokens(t, tokenizer.GPT2, size(t, filepath.Join(gpt, "config.json"), "vocab_size"), t.TempDir())
	if err := os.WriteFile(filepath.Join(gptDir, "config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	return convert.Sources{
		Name: "golden", CLIP: hf, GPT2: gptDir,
		CLIPTokenizer: tokens(t, tokenizer.CLIP, size(t, filepath.Join(hf, "config.json"), "text_config", "vocab_size"), t.TempDir()),
		ClipCap:       filepath.Join(golden.Dir(t, clipcapDir), "weights.pt"),
	}
}

// convertTo writes a folder and opens it again.
func convertTo(t *testing.T, dir string, s convert.Sources) (*modelfolder.Folder, convert.Found) {
	t.Helper()
	found, err := convert.Folder(t.Context(), golden.Engine(t), dir, s)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := modelfolder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	return folder, found
}

// TestGoldenConvertedCLIP converts each encoding of the golden CLIPs and runs it.
func TestGoldenConvertedCLIP(t *testing.T) {
	for _, test := range []struct {
		dir       string
		source    string
		dtype     weights.DType
		tolerance float64
	}{
		{"clip_vit", "hf", "", 1e-4},
		{"clip_vit", "hf", weights.F16, 2e-3},
		{"clip_vit", "openai.safetensors", "", 1e-4},
		{"clip_vit", "openai_fp16.safetensors", "", 2e-3},
		{"clip_vit", "openai_fp16.safetensors", weights.F32, 2e-3},
		{"clip_vit", "state_dict.pt", "", 1e-4},
		{"clip_vit", "state_dict_legacy.pt", "", 1e-4},
		{"clip_vit", "torchscript.pt", weights.F16, 2e-3},
		{"clip_rn", "openai.safetensors", "", 1e-4},
		{"clip_rn", "torchscript.pt", "", 1e-4},
	} {
		t.Run(test.dir+"/"+test.source+string(test.dtype), func(t *testing.T) {
			dir := golden.Dir(t, test.dir)
			s := sources(t, "clipcap_mlp")
			s.GPT2, s.ClipCap = "", ""
			s.CLIP, s.DType = filepath.Join(dir, test.source), test.dtype
			folder, found := convertTo(t, filepath.Join(t.TempDir(), "model"), s)
			if len(found.Files) != 1 || found.Config.Kind() != modelfolder.CLIP || found.Parameters == 0 {
				t.Errorf("found %+v", found)
			}
			checkEncoder(t, folder, golden.Load(t, filepath.Join(dir, "io.safetensors")), test.tolerance)
		})
	}
}

// checkEncoder runs the CLIP of folder over the golden inputs.
func checkEncoder(t *testing.T, folder *modelfolder.Folder, io *weights.File, tolerance float64) {
	t.Helper()
	engine, store := golden.Engine(t), model.NewStore()
	if err := folder.Load(engine, store); err != nil {
		t.Fatal(err)
	}
	encoder, err := clip.NewEncoder(engine, store, *folder.Config.CLIP)
	if err != nil {
		t.Fatal(err)
	}
	image, text := golden.Input(t, io, "image"), golden.Input(t, io, "tokens")
	pixels := golden.Floats(t, io, "image")
	features, err := encoder.Image(t.Context(), slices.Collect(slices.Chunk(pixels, len(pixels)/image.Shape().Dim(0))))
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "image_features", slices.Concat(features...), golden.Floats(t, io, "image_features"), tolerance)
	ids, err := tensors.CopyFlatData[int32](text)
	if err != nil {
		t.Fatal(err)
	}
	if features, err = encoder.Text(t.Context(), slices.Collect(slices.Chunk(ids, text.Shape().Dim(1)))); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "text_features", slices.Concat(features...), golden.Floats(t, io, "text_features"), tolerance)
}

func TestGoldenConvertedClipCap(t *testing.T) {
	for _, test := range []struct {
		dir       string
		kind      mapper.Kind
		normalize bool
	}{
		{"clipcap_mlp", mapper.KindMLP, false},
		{"clipcap_transformer", mapper.KindTransformer, true},
	} {
		t.Run(test.dir, func(t *testing.T) {
			s := sources(t, test.dir)
			dir := filepath.Join(t.TempDir(), "model")
			folder, found := convertTo(t, dir, s)
			config := found.Config
			if config.Captioner.Mapper.Kind != test.kind || config.Captioner.Normalize != test.normalize {
				t.Errorf("found %+v", *config.Captioner)
			}
			if want := size(t, filepath.Join(s.GPT2, "config.json"), "n_head"); config.Captioner.GPT.Heads != want {
				t.Errorf("%d heads, want %d", config.Captioner.GPT.Heads, want)
			}
			for _, id := range config.StopTokens {
				if token := folder.GPTTokenizer.Token(id); token != "." && token != "Ġ." {
					t.Errorf("stop token %d is %q", id, token)
				}
			}
			if len(config.StopTokens) != 2 {
				t.Errorf("stop tokens are %v, want two", config.StopTokens)
			}
			sameAs(t, folder, golden.Load(t, s.ClipCap))

			override := !test.normalize
			s.Normalize = &override
			if _, found = convertTo(t, dir, s); found.Config.Captioner.Normalize != override {
				t.Errorf("normalize is %v, want what was asked for", !override)
			}
		})
	}
}

// sameAs holds the mapper and language model of folder against their checkpoint,
// bit for bit.
func sameAs(t *testing.T, folder *modelfolder.Folder, checkpoint *weights.File) {
	t.Helper()
	compared := 0
	for _, tensor := range folder.Tensors {
		if strings.HasPrefix(tensor.Name, clip.Scope+".") {
			continue
		}
		golden.Compare(t, tensor.Name, golden.Floats(t, checkpoint, tensor.Name), values(t, tensor), 0)
		compared++
	}
	if compared == 0 {
		t.Error("no tensor of the checkpoint")
	}
}

func values(t *testing.T, tensor weights.Tensor) []float32 {
	t.Helper()
	out, err := tensor.Float32()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestGoldenConvertedGPT2(t *testing.T) {
	for _, file := range []string{"model.safetensors", "pytorch_model.bin"} {
		s := sources(t, "clipcap_mlp")
		s.CLIP, s.CLIPTokenizer, s.ClipCap = "", "", ""
		copyFile(t, filepath.Join(golden.Dir(t, "gpt2"), file), filepath.Join(s.GPT2, file))
		folder, found := convertTo(t, filepath.Join(t.TempDir(), "model"), s)
		if found.Config.Kind() != modelfolder.LanguageModel || len(found.Config.StopTokens) != 1 {
			t.Errorf("%s: found %+v", file, found.Config)
		}
		want := golden.Load(t, filepath.Join(golden.Dir(t, "gpt2"), "model.safetensors"))
		for _, tensor := range folder.Tensors {
			name := strings.TrimPrefix(tensor.Name, clipcap.GPTScope+".transformer.")
			golden.Compare(t, tensor.Name, values(t, tensor), golden.Floats(t, want, name), 0)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
