package captioner_test

import (
	"image"
	"image/color"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/cyclegan"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/nn"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// kind says which of the small random models to make.
type kind struct {
	mute     bool // its language model only ever says " "
	clipOnly bool
	reranked bool // it searches with three beams and re-ranks them, unasked
	shouting bool // its language model only ever says "A", which it lower-cases
	forgot   bool // it wants a memory of texts, but has none
	memory   bool // it has a memory of texts, onto which it projects photos unasked
	centres  bool // it has the centres of photos and texts
	textual  bool // it translates photos' embeddings unasked
	broken   bool // its CLIP's projections hold NaN
	guided   bool // a language model that the CLIP guides, in the place of a captioner
}

// folder writes a model folder of random weights, and returns its path.
func folder(t testing.TB, k kind) string {
	t.Helper()
	corpus := slices.Values([]string{"a dog runs on the grass .", "a cat sits on a mat ."})
	clipTokens, err := tokenizer.Train(tokenizer.CLIP, corpus, 540)
	if err != nil {
		t.Fatal(err)
	}
	gptTokens, err := tokenizer.Train(tokenizer.GPT2, corpus, 280)
	if err != nil {
		t.Fatal(err)
	}
	stop, _ := gptTokens.ID(".")
	photo := imageproc.CLIP(16)
	config := modelfolder.Config{
		Version: modelfolder.Version, Name: "random", CLIPName: "random ViT", Image: &photo,
		CLIP: &clip.Config{
			EmbedDim: 12, Activation: clip.QuickGELU,
			Vision: clip.Vision{ImageSize: 16, PatchSize: 8, Width: 16, Layers: 2, Heads: 2},
			Text:   clip.Text{ContextLength: 20, VocabSize: clipTokens.Size(), Width: 16, Layers: 2, Heads: 2},
		},
	}
	m := modelfolder.Model{CLIPTokenizer: clipTokens}
	switch {
	case k.clipOnly:
	case k.guided:
		config.LanguageModel = &gpt2.Config{VocabSize: gptTokens.Size(), Positions: 20, Width: 16, Layers: 2, Heads: 2, Epsilon: 1e-5}
		end, _ := gptTokens.ID("<|endoftext|>")
		config.MAGIC = &modelfolder.MAGIC{Contrast: decode.Contrast{K: 12, Alpha: 0.1, Beta: 50, Length: 8, End: end}, Start: end}
		config.MaxTokens, m.GPTTokenizer = 8, gptTokens
	default:
		config.Captioner = &clipcap.Config{
			Mapper: mapper.Config{Kind: mapper.KindMLP, ClipWidth: 12, PrefixLength: 3, Width: 16},
			GPT:    gpt2.Config{VocabSize: gptTokens.Size(), Positions: 64, Width: 16, Layers: 2, Heads: 2, Epsilon: 1e-5},
		}
		config.StopTokens, config.MaxTokens, m.GPTTokenizer = []int{stop}, 12, gptTokens
		if k.reranked {
			config.Beams, config.Rerank = 3, true
		}
	}
	if k.memory {
		m.Memory, config.Align = remember(t), modelfolder.AlignMemory
		config.Memory = &modelfolder.MemoryConfig{Texts: m.Memory.Len(), Temperature: 100}
	}
	if k.forgot {
		config.Align = modelfolder.AlignMemory
	}
	config.Lowercase = k.shouting
	if k.centres {
		config.Centres = &modelfolder.Centres{Photos: 3, Texts: 5}
	}
	if k.textual {
		config.Textualiser, config.Align = &cyclegan.Config{Width: 12, Layers: 1}, modelfolder.AlignTextual
	}
	m.Config, m.Tensors = config, draw(t, config)
	switch {
	case k.mute:
		say(t, m, "Ġ")
	case k.shouting:
		say(t, m, "A")
	case !k.clipOnly:
		speak(t, m)
	}
	for i, tensor := range m.Tensors {
		if k.broken && (tensor.Name == "clip.visual.proj" || tensor.Name == "clip.text_projection") {
			m.Tensors[i] = changed(t, tensor, func(int, float32) float32 { return float32(math.NaN()) })
		}
	}
	dir := filepath.Join(t.TempDir(), "model")
	if err := modelfolder.Write(dir, m); err != nil {
		t.Fatal(err)
	}
	return dir
}

// draw returns the initial values of all networks.
func draw(t testing.TB, c modelfolder.Config) []weights.Tensor {
	t.Helper()
	backend, store := golden.Engine(t), model.NewStore()
	store.RootScope().SetParam(nn.SeedParam, int64(3))
	if err := weights.Declare(backend, store, c.Declare); err != nil {
		t.Fatal(err)
	}
	if err := store.InitializeVariables(backend, nil); err != nil {
		t.Fatal(err)
	}
	tensors, err := weights.Export(store, weights.F32, clip.Scope, clipcap.MapperScope, clipcap.GPTScope, modelfolder.CentreScope, cyclegan.TextGenerator)
	if err != nil {
		t.Fatal(err)
	}
	for i, tensor := range tensors { // which are drawn as zeros
		if strings.HasPrefix(tensor.Name, modelfolder.CentreScope) {
			tensors[i] = changed(t, tensor, func(at int, _ float32) float32 { return float32(len(tensor.Name)-8*at%5) / 10 })
		}
	}
	return tensors
}

// remember makes a memory of two texts.
func remember(t testing.TB) *modelfolder.Memory {
	t.Helper()
	embeddings := make([]float32, 2*12)
	for i := range embeddings {
		embeddings[i] = float32(math.Sin(float64(7 * i)))
	}
	memory, err := modelfolder.NewMemory([]string{"A dog  runs.", "A cat sits."}, embeddings)
	if err != nil {
		t.Fatal(err)
	}
	return memory
}

// speak makes the language model write letters, which random bytes rarely are, and
// others for each photo, which initial weights do not tell apart.
func speak(t testing.TB, m modelfolder.Model) {
	t.Helper()
	for i, tensor := range m.Tensors {
		switch tensor.Name {
		case "clip_project.model.0.weight":
			m.Tensors[i] = changed(t, tensor, func(_ int, v float32) float32 { return 5 * v })
		case "gpt.transformer.wte.weight":
			m.Tensors[i] = changed(t, tensor, func(at int, v float32) float32 {
				token := m.GPTTokenizer.Token(at / tensor.Shape[1])
				if last := token[len(token)-1]; last != '.' && (last < 'a' || last > 'z') {
					return 0
				}
				return 20 * v
			})
		}
	}
}

// changed returns tensor with each value at a place replaced.
func changed(t testing.TB, tensor weights.Tensor, value func(at int, v float32) float32) weights.Tensor {
	t.Helper()
	values, err := tensor.Float32()
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		values[i] = value(i, v)
	}
	tensor, err = weights.FromFloat32(tensor.Name, weights.F32, tensor.Shape, values)
	if err != nil {
		t.Fatal(err)
	}
	return tensor
}

// say makes a token the most probable one everywhere: the last hidden state is a
// constant, and only that token's row of the head points its way.
func say(t testing.TB, m modelfolder.Model, token string) {
	t.Helper()
	id, ok := m.GPTTokenizer.ID(token)
	if !ok {
		t.Fatalf("no token %q", token)
	}
	for i, tensor := range m.Tensors {
		switch tensor.Name {
		case "gpt.transformer.ln_f.weight":
			m.Tensors[i] = changed(t, tensor, func(int, float32) float32 { return 0 })
		case "gpt.transformer.ln_f.bias":
			m.Tensors[i] = changed(t, tensor, func(int, float32) float32 { return 1 })
		case "gpt.transformer.wte.weight":
			width := tensor.Shape[1]
			m.Tensors[i] = changed(t, tensor, func(at int, _ float32) float32 {
				if at/width == id {
					return 1
				}
				return 0
			})
		}
	}
}

// open opens a random model for the length of a test.
func open(t testing.TB, k kind, o captioner.Options) *captioner.Captioner {
	t.Helper()
	c, err := captioner.Open(folder(t, k), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// photos returns n pictures that differ.
func photos(n int) []image.Image {
	out := make([]image.Image, n)
	for i := range out {
		img := image.NewRGBA(image.Rect(0, 0, 20+3*i, 17+5*i))
		for y := range img.Rect.Dy() {
			for x := range img.Rect.Dx() {
				img.SetRGBA(x, y, color.RGBA{uint8(x * (3 + 7*i)), uint8(y*11 + 40*i), uint8(x*y + 90*i), 255})
			}
		}
		out[i] = img
	}
	return out
}
