package modelfolder_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// random returns a small captioner with random weights.
func random(t *testing.T) modelfolder.Model {
	t.Helper()
	corpus := slices.Values([]string{"a dog runs on the grass .", "a cat sits on a mat ."})
	clipTokens, err := tokenizer.Train(tokenizer.CLIP, corpus, 530)
	if err != nil {
		t.Fatal(err)
	}
	gptTokens, err := tokenizer.Train(tokenizer.GPT2, corpus, 270)
	if err != nil {
		t.Fatal(err)
	}
	image := imageproc.CLIP(16)
	stop, _ := gptTokens.ID(".")
	m := modelfolder.Model{
		Config: modelfolder.Config{
			Version: modelfolder.Version, Name: "random", CLIPName: "random ViT-8/8", Image: &image,
			CLIP: &clip.Config{
				EmbedDim: 8, Activation: clip.QuickGELU,
				Vision: clip.Vision{ImageSize: 16, PatchSize: 8, Width: 8, Layers: 1, Heads: 2},
				Text:   clip.Text{ContextLength: 16, VocabSize: 530, Width: 8, Layers: 1, Heads: 2, EndToken: clipTokens.Size() - 1},
			},
			Captioner: &clipcap.Config{
				Mapper: mapper.Config{Kind: mapper.KindMLP, ClipWidth: 8, PrefixLength: 2, Width: 8},
				GPT:    gpt2.Config{VocabSize: 270, Positions: 16, Width: 8, Layers: 2, Heads: 2, Epsilon: 1e-5},
			},
			StopTokens: []int{stop}, MaxTokens: 10,
		},
		CLIPTokenizer: clipTokens, GPTTokenizer: gptTokens, Run: []byte("{\"seed\": 7}\n"),
	}
	m.Tensors = draw(t, m.Config, weights.F16)
	return m
}

// draw returns initial values for all networks of c.
func draw(t *testing.T, c modelfolder.Config, dtype weights.DType) []weights.Tensor {
	t.Helper()
	engine, store := golden.Engine(t), model.NewStore()
	if err := weights.Declare(engine, store, c.Declare); err != nil {
		t.Fatal(err)
	}
	if err := store.InitializeVariables(engine, nil); err != nil {
		t.Fatal(err)
	}
	tensors, err := weights.Export(store, dtype, clip.Scope, clipcap.MapperScope, clipcap.GPTScope)
	if err != nil {
		t.Fatal(err)
	}
	return tensors
}

// only returns the part of m that one network needs.
func only(m modelfolder.Model, kind modelfolder.Kind) modelfolder.Model {
	c := &m.Config
	prefix := "clip."
	switch kind {
	case modelfolder.CLIP:
		c.Captioner, c.StopTokens, c.MaxTokens, m.GPTTokenizer = nil, nil, 0, nil
	case modelfolder.LanguageModel:
		c.LanguageModel, c.Captioner = &c.Captioner.GPT, nil
		c.CLIP, c.CLIPName, c.Image, m.CLIPTokenizer = nil, "", nil, nil
		prefix = "gpt.transformer."
	default:
		return m
	}
	m.Run = nil
	m.Tensors = slices.DeleteFunc(slices.Clone(m.Tensors), func(t weights.Tensor) bool { return !strings.HasPrefix(t.Name, prefix) })
	return m
}

func TestRoundTrip(t *testing.T) {
	whole := random(t)
	for _, kind := range []modelfolder.Kind{modelfolder.Captioner, modelfolder.CLIP, modelfolder.LanguageModel} {
		t.Run(string(kind), func(t *testing.T) {
			want := only(whole, kind)
			dir := filepath.Join(t.TempDir(), "models", "one")
			if err := modelfolder.Write(dir, want); err != nil {
				t.Fatal(err)
			}
			fromDisk, err := modelfolder.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			embedded, err := modelfolder.OpenFS(os.DirFS(dir), "embedded")
			if err != nil {
				t.Fatal(err)
			}
			for _, got := range []*modelfolder.Folder{fromDisk, embedded} {
				checkFolder(t, got, want, kind)
			}
		})
	}
}

// checkFolder holds an open folder against what was written, and loads it.
func checkFolder(t *testing.T, got *modelfolder.Folder, want modelfolder.Model, kind modelfolder.Kind) {
	t.Helper()
	if !reflect.DeepEqual(got.Config, want.Config) || got.Config.Kind() != kind {
		t.Errorf("config is %+v, want %+v", got.Config, want.Config)
	}
	if !bytes.Equal(got.Run, want.Run) {
		t.Errorf("run.json is %q, want %q", got.Run, want.Run)
	}
	if (got.CLIPTokenizer == nil) != (want.CLIPTokenizer == nil) || (got.GPTTokenizer == nil) != (want.GPTTokenizer == nil) {
		t.Error("other tokenizers than were written")
	}
	engine, store := golden.Engine(t), model.NewStore()
	if err := got.Check(engine); err != nil {
		t.Error(err)
	}
	if err := got.Load(engine, store); err != nil {
		t.Fatal(err)
	}
	if err := got.Close(); err != nil {
		t.Error(err)
	}
	back, err := weights.Export(store, weights.F16, clip.Scope, clipcap.MapperScope, clipcap.GPTScope)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(back, want.Tensors, sameTensor) {
		t.Error("other tensors than were written")
	}
}

// TestLoadInParts: photos need all but the text tower, which comes when it is asked for.
func TestLoadInParts(t *testing.T) {
	want := random(t)
	folder, _ := reopen(t, want)
	engine, store, texts := golden.Engine(t), model.NewStore(), model.NewStore()
	later, err := folder.LoadInParts(engine, store, texts)
	if err != nil {
		t.Fatal(err)
	}
	for v := range store.IterVariables() {
		if !v.HasValue() || strings.Contains(v.Path(), "token_embedding") {
			t.Errorf("%s among what photos need, with values: %t", v.Path(), v.HasValue())
		}
	}
	for v := range texts.IterVariables() {
		if v.HasValue() || strings.Contains(v.Path(), "visual") {
			t.Errorf("%s among what texts need, with values: %t", v.Path(), v.HasValue())
		}
	}
	if err := later(); err != nil {
		t.Fatal(err)
	}
	var back []weights.Tensor
	for _, s := range []*model.Store{store, texts} {
		part, err := weights.Export(s, weights.F16, clip.Scope, clipcap.MapperScope, clipcap.GPTScope)
		if err != nil {
			t.Fatal(err)
		}
		back = append(back, part...)
	}
	slices.SortFunc(back, func(a, b weights.Tensor) int { return strings.Compare(a.Name, b.Name) })
	if !slices.EqualFunc(back, want.Tensors, sameTensor) {
		t.Error("other tensors than were written")
	}
}

// reopen writes a model and opens its folder, dir.
func reopen(t *testing.T, m modelfolder.Model) (folder *modelfolder.Folder, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "model")
	if err := modelfolder.Write(dir, m); err != nil {
		t.Fatal(err)
	}
	folder, err := modelfolder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	return folder, dir
}

func sameTensor(a, b weights.Tensor) bool {
	return a.Name == b.Name && a.DType == b.DType && slices.Equal(a.Shape, b.Shape) && bytes.Equal(a.Data, b.Data)
}

// TestLoadInPartsRefuses: what the text tower has wrong is told before it is loaded.
func TestLoadInPartsRefuses(t *testing.T) {
	m := random(t)
	m.Tensors = slices.Clone(m.Tensors)
	i := slices.IndexFunc(m.Tensors, func(t weights.Tensor) bool { return t.Name == "clip.text_projection" })
	m.Tensors[i].DType = weights.I16
	folder, dir := reopen(t, m)
	_, err := folder.LoadInParts(golden.Engine(t), model.NewStore(), model.NewStore())
	refused(t, err, dir, "clip.text_projection")
}

// TestOpenRefuses damages one file at a time.
func TestOpenRefuses(t *testing.T) {
	whole := random(t)
	edit := func(old, new string) func([]byte) []byte {
		return func(data []byte) []byte {
			if !bytes.Contains(data, []byte(old)) {
				t.Fatalf("no %s to replace", old)
			}
			return bytes.Replace(data, []byte(old), []byte(new), 1)
		}
	}
	truncate := func(data []byte) []byte { return data[:len(data)-3] }
	remove := func([]byte) []byte { return nil }
	for _, test := range []struct {
		name, file string
		change     func([]byte) []byte
		want       string
	}{
		{"no config", "config.json", remove, "not a model folder"},
		{"truncated config", "config.json", truncate, "config.json: unexpected EOF"},
		{"two configs", "config.json", func(d []byte) []byte { return append(d, d...) }, "config.json: more follows"},
		{"unknown field", "config.json", edit(`"name"`, `"surprise": 1, "name"`), `config.json: json: unknown field "surprise"`},
		{"unknown nested field", "config.json", edit(`"kind"`, `"surprise": 1, "kind"`), "config.json: json: unknown field"},
		{"version", "config.json", edit(`"version": 1`, `"version": 2`), "config.json: version is 2, want 1"},
		{"no name", "config.json", edit(`"name": "random"`, `"name": ""`), "config.json: name is"},
		{"name of two lines", "config.json", edit(`"name": "random"`, `"name": "a\nb"`), "config.json: name is"},
		{"width", "config.json", edit(`"clip_width": 8`, `"clip_width": 9`), "config.json: the mapper reads embeddings of width 9"},
		{"image size", "config.json", edit(`"size": 16`, `"size": 24`), "config.json: image.size is 24"},
		{"activation", "config.json", edit("quick_gelu", "slow_gelu"), "config.json: clip: activation"},
		{"layers", "config.json", edit(`"n_layer": 2`, `"n_layer": 1000000000`), "model.safetensors"},
		{"max tokens", "config.json", edit(`"max_tokens": 10`, `"max_tokens": 15`), "config.json: max_tokens is 15"},
		{"clip vocabulary", "config.json", edit(`"vocab_size": 530`, `"vocab_size": 510`), "config.json: clip: end_token"},
		{"gpt vocabulary", "config.json", edit(`"vocab_size": 270`, `"vocab_size": 260`), "gpt_tokenizer: 261 tokens, but"},
		{"no vocabulary", "clip_tokenizer/vocab.json", remove, "clip_tokenizer/vocab.json"},
		{"no merges", "gpt_tokenizer/merges.txt", remove, "gpt_tokenizer/merges.txt"},
		{"truncated vocabulary", "gpt_tokenizer/vocab.json", truncate, "gpt_tokenizer: vocab.json"},
		{"no tensors", "model.safetensors", remove, "model.safetensors"},
		{"truncated tensors", "model.safetensors", truncate, "model.safetensors: tensor"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "model")
			if err := modelfolder.Write(dir, whole); err != nil {
				t.Fatal(err)
			}
			damage(t, filepath.Join(dir, test.file), test.change)
			folder, err := modelfolder.Open(dir)
			refused(t, err, dir, test.want)
			if err == nil {
				t.Error(folder.Close())
			}
			_, err = modelfolder.OpenFS(os.DirFS(dir), "embedded")
			refused(t, err, "embedded", test.want)
		})
	}
}

func damage(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if data = change(data); data == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// refused wants an error of one line that names where and what.
func refused(t *testing.T, err error, where, what string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", what)
		return
	}
	text := err.Error()
	if !strings.Contains(text, where) || !strings.Contains(text, what) || strings.Contains(text, "\n") || strings.Count(text, where) != 1 {
		t.Errorf("error is %q, want one line with %q once and %q", text, where, what)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(m *modelfolder.Model)
		want   func(e *weights.MismatchError) []string
	}{
		{"missing", func(m *modelfolder.Model) { m.Tensors = m.Tensors[1:] },
			func(e *weights.MismatchError) []string { return e.Missing }},
		{"unexpected", func(m *modelfolder.Model) {
			extra := m.Tensors[0]
			extra.Name = "clip.extra"
			m.Tensors = append(slices.Clone(m.Tensors), extra)
		}, func(e *weights.MismatchError) []string { return e.Unexpected }},
		{"misshapen", func(m *modelfolder.Model) {
			m.Tensors = slices.Clone(m.Tensors)
			m.Tensors[0].Shape = append([]int{1}, m.Tensors[0].Shape...)
		}, func(e *weights.MismatchError) []string { return e.Misshapen }},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := random(t)
			test.change(&m)
			folder, dir := reopen(t, m)
			_, inParts := folder.LoadInParts(golden.Engine(t), model.NewStore(), model.NewStore())
			for _, err := range []error{inParts, folder.Load(golden.Engine(t), model.NewStore())} {
				refused(t, err, dir, "model.safetensors: tensors do not fit the network")
				mismatch, ok := errors.AsType[*weights.MismatchError](err)
				if !ok || len(test.want(mismatch)) != 1 {
					t.Errorf("error is %#v, want one tensor that is %s", err, test.name)
				}
			}
		})
	}
}

// TestCheckHugeSizes holds that sizes whose products overflow are errors.
func TestCheckHugeSizes(t *testing.T) {
	const huge = 1 << 62
	for name, change := range map[string]func(c *clipcap.Config){
		"width":      func(c *clipcap.Config) { c.GPT.Width, c.Mapper.Width = huge, huge },
		"vocabulary": func(c *clipcap.Config) { c.GPT.VocabSize = huge },
		"positions":  func(c *clipcap.Config) { c.GPT.Positions = huge },
		"prefix":     func(c *clipcap.Config) { c.GPT.Positions, c.Mapper.PrefixLength = huge, huge-100 },
	} {
		m := random(t)
		change(m.Config.Captioner)
		if err := m.Config.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := m.Check(golden.Engine(t)); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error is %v, want one line", name, err)
		}
	}
}

// TestConfigIsPrintable holds config.json to be the configuration, not a part.
func TestConfigIsPrintable(t *testing.T) {
	want := random(t).Config
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got modelfolder.Config
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s reads back as %+v", text, got)
	}
}
