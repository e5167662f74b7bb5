package convert_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/internal/convert"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// TestGoldenKin converts one checkpoint as that of each method whose files look alike.
func TestGoldenKin(t *testing.T) {
	for _, test := range []struct {
		method     convert.Method
		dir        string
		normalize  bool
		beams, max int
	}{
		{"", "clipcap_mlp", false, 0, 67},
		{convert.ClipCap, "clipcap_transformer", true, 0, 67},
		{convert.CapDec, "clipcap_mlp", true, 5, 67},
		{convert.CapDec, "clipcap_transformer", true, 5, 67},
		{convert.CgTGAN, "clipcap_mlp", false, 0, 20},
	} {
		s := sources(t, test.dir)
		s.Method = test.method
		_, found := convertTo(t, filepath.Join(t.TempDir(), "model"), s)
		c := found.Config
		if c.Lowercase != (test.method == convert.CapDec) {
			t.Errorf("%s: lower case %v", test.method, c.Lowercase)
		}
		if c.Captioner.Normalize != test.normalize || c.Beams != test.beams || c.MaxTokens != test.max {
			t.Errorf("%s: normalize %v, %d beams, up to %d tokens; want %+v", test.method, c.Captioner.Normalize, c.Beams, c.MaxTokens, test)
		}
	}
}

// decapCheckpoint writes the golden ClipCap's language model as DeCap's decoder, with
// rows for CLIP's tokens, behind a mapper of one layer.
func decapCheckpoint(t *testing.T, vocabulary int) string {
	t.Helper()
	var out []weights.Tensor
	for _, x := range golden.Load(t, filepath.Join(golden.Dir(t, "clipcap_mlp"), "weights.pt")).Tensors() {
		rest, ok := strings.CutPrefix(x.Name, "gpt.")
		if !ok || rest == "lm_head.weight" {
			continue
		}
		x.Name = "decoder." + rest
		if rest == "transformer.wte.weight" {
			x.Data = append(slices.Clone(x.Data), make([]byte, (vocabulary-x.Shape[0])*x.Shape[1]*4)...)
			x.Shape = []int{vocabulary, x.Shape[1]}
			head := x
			head.Name = "decoder.lm_head.weight"
			out = append(out, head)
		}
		out = append(out, x)
	}
	for _, x := range golden.Load(t, filepath.Join(golden.Dir(t, "clip_vit"), "openai.safetensors")).Tensors() {
		if x.Name == "text_projection" { // any matrix of 64×64
			x.Name = "clip_project.model.0.weight"
			bias := weights.Tensor{Name: "clip_project.model.0.bias", DType: x.DType, Shape: []int{64}, Data: x.Data[:256]}
			out = append(out, x, bias)
		}
	}
	path := filepath.Join(t.TempDir(), "coco_prefix-009.pt")
	if err := weights.WriteSafetensors(path, out, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGoldenDeCap(t *testing.T) {
	const vocabulary = 600
	s := sources(t, "clipcap_mlp")
	gpt := s.GPT2
	s.Method, s.ClipCap, s.GPT2 = convert.DeCap, decapCheckpoint(t, vocabulary), ""
	data, err := os.ReadFile(filepath.Join(gpt, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "decoder.json")
	said := strings.NewReplacer(`"vocab_size": 400`, `"vocab_size": 600`, `"n_head": 4`, `"n_head": 2`).Replace(string(data))
	if err := os.WriteFile(config, []byte(said), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, heads := range map[string]int{"": 4, config: 2} {
		s.GPT2 = path
		folder, found := convertTo(t, filepath.Join(t.TempDir(), "model"), s)
		c := found.Config
		if m := c.Captioner.Mapper; m.Kind != mapper.KindLinear || m.PrefixLength != 1 || m.ClipWidth != 64 || c.Captioner.GPT.Heads != heads || !c.Captioner.Normalize {
			t.Errorf("%q: found %+v", path, *c.Captioner)
		}
		if folder.GPTTokenizer.Style() != tokenizer.CLIP || !slices.Equal(found.StopTokens, []string{"<|endoftext|>"}) || c.MaxTokens != 30 {
			t.Errorf("%q: a %s tokenizer, stops %q, up to %d tokens", path, folder.GPTTokenizer.Style(), found.StopTokens, c.MaxTokens)
		}
	}
	checkDeCapMemory(t, s)
	s.GPT2 = golden.Shared(t, "fixtures", "pickle", "decap_decoder_config.pkl")
	_, err = convert.Folder(t.Context(), golden.Engine(t), filepath.Join(t.TempDir(), "model"), s)
	if err == nil || !strings.Contains(err.Error(), "vocab_size is 600, want 50257") {
		t.Errorf("the released decoder's configuration: %v", err)
	}
}

// checkDeCapMemory: a converted DeCap holds the embeddings of the captions that it was
// given; without any it refuses to caption, until it is told to do without.
func checkDeCapMemory(t *testing.T, s convert.Sources) {
	t.Helper()
	dir := t.TempDir()
	texts := []string{"A dog runs.", "A cat sits on a mat."}
	s.Memory = filepath.Join(dir, "captions.txt")
	if err := os.WriteFile(s.Memory, []byte(strings.Join(texts, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	folder, found := convertTo(t, filepath.Join(dir, "with"), s)
	if c := found.Config; c.Align != modelfolder.AlignMemory || *c.Memory != (modelfolder.MemoryConfig{Texts: 2, Temperature: 100}) {
		t.Errorf("found %q, %+v", c.Align, c.Memory)
	}
	c, err := captioner.Open(filepath.Join(dir, "with"), captioner.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i, text := range texts {
		want, err := c.EmbedText(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, len(want))
		folder.Memory.Block(i, i+1, got)
		golden.Compare(t, text, got, want, 1e-6)
		if got := folder.Memory.Text(i); got != text {
			t.Errorf("the memory holds %q, want %q", got, text)
		}
	}
	s.Memory = ""
	if _, found := convertTo(t, filepath.Join(dir, "without"), s); found.Config.Align != modelfolder.AlignMemory || found.Config.Memory != nil {
		t.Errorf("found %q, %+v", found.Config.Align, found.Config.Memory)
	}
	s.Memory, s.Method, s.GPT2 = "captions.txt", convert.ClipCap, "gpt2"
	if _, err := convert.Folder(t.Context(), golden.Engine(t), filepath.Join(dir, "other"), s); err == nil || !strings.Contains(err.Error(), "of use to DeCap alone") {
		t.Errorf("a memory for ClipCap: %v", err)
	}
}

// TestGoldenLongLinear reads the mapper that ClipCap's predict.py builds for prefixes
// longer than ten: one layer, which is all of clip_project.
func TestGoldenLongLinear(t *testing.T) {
	s := sources(t, "clipcap_mlp")
	var out []weights.Tensor
	for _, x := range golden.Load(t, s.ClipCap).Tensors() {
		switch x.Name {
		case "clip_project.model.2.weight": // [5·64, 160], of which the layer takes 64 columns
			x.Name, x.Shape, x.Data = "clip_project.weight", []int{x.Shape[0], 64}, x.Data[:x.Shape[0]*64*4]
		case "clip_project.model.2.bias":
			x.Name = "clip_project.bias"
		case "clip_project.model.0.weight", "clip_project.model.0.bias":
			continue
		}
		out = append(out, x)
	}
	s.ClipCap = filepath.Join(t.TempDir(), "long.pt")
	if err := weights.WriteSafetensors(s.ClipCap, out, nil); err != nil {
		t.Fatal(err)
	}
	_, found := convertTo(t, filepath.Join(t.TempDir(), "model"), s)
	if m := found.Config.Captioner.Mapper; m.Kind != mapper.KindLinear || m.PrefixLength != 5 {
		t.Errorf("found %+v", m)
	}
}

// TestGoldenCentres adds centres of embeddings, cut from CapDec's to the golden CLIP's
// width.
func TestGoldenCentres(t *testing.T) {
	real := golden.Shared(t, "fixtures", "pickle", "CLIP_embeddings_centers_info.pkl")
	s := sources(t, "clipcap_mlp")
	s.Method, s.Centres = convert.CapDec, real
	_, err := convert.Folder(t.Context(), golden.Engine(t), filepath.Join(t.TempDir(), "model"), s)
	if err == nil || !strings.Contains(err.Error(), "a centre of shape [1 640], but the embeddings are 64 wide") {
		t.Errorf("centres of another CLIP: %v", err)
	}
	tensors := golden.Load(t, real).Tensors()
	for i, x := range tensors {
		tensors[i].Shape, tensors[i].Data = []int{1, 64}, x.Data[:64*4]
	}
	s.Centres = filepath.Join(t.TempDir(), "centres")
	if err := weights.WriteSafetensors(s.Centres, tensors, nil); err != nil {
		t.Fatal(err)
	}
	folder, found := convertTo(t, filepath.Join(t.TempDir(), "model"), s)
	if err := found.Config.CanAlign("mean"); err != nil {
		t.Error(err)
	}
	for _, x := range folder.Tensors {
		if name, ok := strings.CutPrefix(x.Name, "centre."); ok {
			from := map[string]string{"photo": "center_image", "text": "center_text"}[name]
			golden.Compare(t, x.Name, values(t, x), golden.Floats(t, golden.Load(t, real), from)[:64], 0)
		}
	}
}
