package convert_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/convert"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// TestGoldenRefused spoils one source at a time: one line, and nothing is written.
func TestGoldenRefused(t *testing.T) {
	rewrite := func(t *testing.T, from string, change func([]weights.Tensor) []weights.Tensor) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "spoiled.safetensors")
		tensors := golden.Load(t, from).Tensors()
		if err := weights.WriteSafetensors(path, change(tensors), nil); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, s *convert.Sources)
		want  string
	}{
		{"no name", func(_ *testing.T, s *convert.Sources) { s.Name = "" }, "no name"},
		{"no source", func(_ *testing.T, s *convert.Sources) { s.CLIP, s.GPT2, s.ClipCap = "", "", "" }, "no checkpoint"},
		{"no GPT-2", func(_ *testing.T, s *convert.Sources) { s.GPT2 = "" }, "needs its CLIP and its GPT-2"},
		{"no ClipCap", func(_ *testing.T, s *convert.Sources) { s.ClipCap = "" }, "make no captioner"},
		{"type", func(_ *testing.T, s *convert.Sources) { s.DType = weights.I8 }, "want F32 or F16"},
		{"missing CLIP", func(_ *testing.T, s *convert.Sources) { s.CLIP = "nowhere" }, "nowhere"},
		{"not a CLIP", func(_ *testing.T, s *convert.Sources) { s.CLIP = s.ClipCap }, "not a CLIP"},
		{"not a ClipCap", func(t *testing.T, s *convert.Sources) { s.ClipCap = filepath.Join(s.CLIP, "model.safetensors") }, "not a GPT-2"},
		{"no tokenizer", func(_ *testing.T, s *convert.Sources) { s.CLIPTokenizer = "" }, "vocab.json"},
		{"other tokenizer", func(_ *testing.T, s *convert.Sources) { s.CLIPTokenizer = s.GPT2 }, "style gpt2, want clip"},
		{"other vocabulary", func(t *testing.T, s *convert.Sources) { s.GPT2 = oneMore(t, s.GPT2, "vocab_size") }, "vocab_size is"},
		{"other depth", func(t *testing.T, s *convert.Sources) { s.GPT2 = oneMore(t, s.GPT2, "n_layer") }, "n_layer is"},
		{"misshapen", func(t *testing.T, s *convert.Sources) {
			s.ClipCap = rewrite(t, s.ClipCap, func(ts []weights.Tensor) []weights.Tensor {
				i := slices.IndexFunc(ts, func(x weights.Tensor) bool { return strings.HasSuffix(x.Name, "h.0.ln_1.weight") })
				ts[i].Shape = []int{1, ts[i].Shape[0]}
				return ts
			})
		}, "misshapen"},
		{"missing tensor", func(t *testing.T, s *convert.Sources) {
			s.ClipCap = rewrite(t, s.ClipCap, func(ts []weights.Tensor) []weights.Tensor {
				return slices.DeleteFunc(ts, func(x weights.Tensor) bool { return strings.HasSuffix(x.Name, "h.0.ln_1.weight") })
			})
		}, "missing"},
		{"narrow CLIP", func(t *testing.T, s *convert.Sources) {
			from := filepath.Join(filepath.Dir(s.CLIP), "openai.safetensors")
			s.CLIP = rewrite(t, from, func(ts []weights.Tensor) []weights.Tensor {
				for i, x := range ts {
					if x.Name == "visual.proj" || x.Name == "text_projection" {
						half := x.Shape[1] / 2
						ts[i].Shape, ts[i].Data = []int{x.Shape[0], half}, x.Data[:len(x.Data)/2]
					}
				}
				return ts
			})
		}, "its mapper reads embeddings of width"},
		{"RoBERTa and CLIP", func(_ *testing.T, s *convert.Sources) { s.RoBERTa = s.CLIP }, "name it alone"},
		{"not a RoBERTa", func(_ *testing.T, s *convert.Sources) {
			*s = convert.Sources{Name: s.Name, RoBERTa: s.CLIP}
		}, `model_type is "clip"`},
		{"RoBERTa with a layer less", func(t *testing.T, s *convert.Sources) {
			dir := robertaFolder(t, func(ts []weights.Tensor) []weights.Tensor {
				return slices.DeleteFunc(ts, func(x weights.Tensor) bool { return strings.Contains(x.Name, ".layer.1.") })
			})
			*s = convert.Sources{Name: s.Name, RoBERTa: dir}
		}, "16 missing"},
		{"not a number", func(t *testing.T, s *convert.Sources) {
			s.ClipCap = rewrite(t, s.ClipCap, func(ts []weights.Tensor) []weights.Tensor {
				i := slices.IndexFunc(ts, func(x weights.Tensor) bool { return strings.HasSuffix(x.Name, "ln_f.weight") })
				ts[i].Data = slices.Repeat([]byte{0xff}, len(ts[i].Data))
				return ts
			})
		}, "NaN"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := sources(t, "clipcap_mlp")
			test.spoil(t, &s)
			parent := t.TempDir()
			_, err := convert.Folder(t.Context(), golden.Engine(t), filepath.Join(parent, "model"), s)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v, want one line with %q", err, test.want)
			}
			if entries, err := os.ReadDir(parent); err != nil || len(entries) > 0 {
				t.Errorf("it left %v, %v", entries, err)
			}
		})
	}
}

// oneMore copies a GPT-2 folder whose config.json says one more of something.
func oneMore(t *testing.T, dir, key string) string {
	t.Helper()
	out := t.TempDir()
	for _, name := range []string{"vocab.json", "merges.txt"} {
		copyFile(t, filepath.Join(dir, name), filepath.Join(out, name))
	}
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(data, &config); err != nil {
		t.Fatal(err)
	}
	config[key] = config[key].(float64) + 1
	if data, err = json.Marshal(config); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "config.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestStopTokens looks the full stops up in GPT-2's own vocabulary.
func TestStopTokens(t *testing.T) {
	gpt, err := readFixture(t)
	if err != nil {
		t.Fatal(err)
	}
	got, err := convert.FullStops(gpt)
	if err != nil || !slices.Equal(got, []int{13, 764}) {
		t.Errorf("stop tokens are %v, %v, want 13 and 764", got, err)
	}
}

func readFixture(t *testing.T) (*tokenizer.BPE, error) {
	t.Helper()
	vocab, err := os.Open(golden.Shared(t, "fixtures", "tokenizers", "gpt2_vocab.json"))
	if err != nil {
		return nil, err
	}
	defer vocab.Close()
	merges, err := os.Open(golden.Shared(t, "fixtures", "tokenizers", "gpt2_merges.txt"))
	if err != nil {
		return nil, err
	}
	defer merges.Close()
	return tokenizer.Read(vocab, merges)
}
