package method_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/nn"
	"github.com/cutline-go/cutline/internal/train"
)

const clipSide = 32 // pixels

// tinyCLIP has a ResNet, whose running statistics no optimiser may touch.
func tinyCLIP() clip.Config {
	return clip.Config{
		EmbedDim: 8, Activation: clip.QuickGELU,
		Vision: clip.Vision{ImageSize: clipSide, Width: 4, Heads: 4, ResNet: [4]int{1, 1, 1, 1}},
		Text:   clip.Text{ContextLength: 32, VocabSize: 20, Width: 8, Layers: 1, Heads: 2},
	}
}

func tinyCaptioning(weight float64) *method.Captioning {
	gpt := gpt2.Config{VocabSize: 20, Positions: 36, Width: 8, Layers: 1, Heads: 2, Epsilon: 1e-5}
	m := mapper.Config{Kind: mapper.KindMLP, ClipWidth: 8, PrefixLength: 2, Width: 8}
	return &method.Captioning{Weight: weight, Network: clipcap.Config{Mapper: m, GPT: gpt}, MaxTokens: 32}
}

// tinyPhotos are random pixels, texts that end in token 19, and captions.
func tinyPhotos() method.Photos {
	rng := rand.New(rand.NewPCG(5, 0))
	var b method.Photos
	for i := range 4 {
		pixels := make([]float32, 3*clipSide*clipSide)
		for j := range pixels {
			pixels[j] = float32(rng.NormFloat64())
		}
		text := make([]int32, 32)
		copy(text, []int32{18, int32(1 + i), int32(2 + i), 19})
		b.Pixels, b.Texts = append(b.Pixels, pixels), append(b.Texts, text)
		b.Captions = append(b.Captions, []int{1 + i, 2 + i, 3 + i}[:2+i%2])
	}
	return b
}

// drawn returns a store whose variables are drawn alike each time.
func drawn() *model.Store {
	store := model.NewStore()
	store.SetParam("/"+nn.SeedParam, int64(7))
	return store
}

func newTinyCLIP(t *testing.T, store *model.Store, captioning *method.Captioning, o train.Optimizer) *method.CLIP {
	t.Helper()
	m, err := method.NewCLIP(golden.Engine(t), store, tinyCLIP(), captioning, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCLIPCaptioning holds equation (3) against its halves, each from elsewhere: CLIP
// without a captioner, and ClipCap on the embeddings that the encoder gives.
func TestCLIPCaptioning(t *testing.T) {
	const weight = 3
	batch, captioning := tinyPhotos(), tinyCaptioning(weight)
	got, err := newTinyCLIP(t, drawn(), captioning, still()).Loss(batch)
	if err != nil {
		t.Fatal(err)
	}
	contrastive, err := newTinyCLIP(t, drawn(), nil, still()).Loss(batch)
	if err != nil {
		t.Fatal(err)
	}
	engine, beside := golden.Engine(t), drawn()
	encoder, err := clip.NewEncoder(engine, beside, tinyCLIP())
	if err != nil {
		t.Fatal(err)
	}
	embeddings, err := encoder.Image(t.Context(), batch.Pixels)
	if err != nil {
		t.Fatal(err)
	}
	clipCap, err := method.NewClipCap(engine, beside, captioning.Network, method.ClipCapConfig{Optimizer: still(), MaxTokens: 8})
	if err != nil {
		t.Fatal(err)
	}
	said, err := clipCap.Loss(method.Pairs{Embeddings: embeddings, Captions: batch.Captions})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{contrastive[0].Value + weight*said[0].Value, contrastive[0].Value, said[0].Value} {
		if math.Abs(got[i].Value-want) > 1e-5*math.Abs(want) {
			t.Errorf("%s is %g, want %g", got[i].Name, got[i].Value, want)
		}
	}
}

// TestCLIPMoves holds that a captioner learns along where there is one, and that the
// running statistics follow the photos and not the optimiser, whose decay would end them.
func TestCLIPMoves(t *testing.T) {
	decaying := still()
	decaying.AdamW.WeightDecay = 90
	var statistics [][]float32
	for _, c := range []struct {
		captioning *method.Captioning
		optimizer  train.Optimizer
		moved      []string
	}{
		{nil, still(), []string{clip.Scope}},
		{tinyCaptioning(1), still(), []string{clip.Scope, clipcap.MapperScope, clipcap.GPTScope}},
		{nil, decaying, []string{clip.Scope}},
	} {
		store, batch := drawn(), tinyPhotos()
		m := newTinyCLIP(t, store, c.captioning, c.optimizer)
		if _, err := m.Loss(batch); err != nil { // draws the variables
			t.Fatal(err)
		}
		const variance = clip.Scope + ".visual.layer1.0.bn1.running_var"
		before := exported(t, store)[variance]
		got := moved(t, store, func() {
			if _, err := m.Step(t.Context(), 1, batch); err != nil {
				t.Fatal(err)
			}
		})
		if !slices.Equal(got, c.moved) {
			t.Errorf("captioning %v: moved %v, want %v", c.captioning != nil, got, c.moved)
		}
		after := exported(t, store)[variance]
		if len(after) == 0 || slices.Equal(before, after) {
			t.Errorf("the running variance stayed: %v", after)
		}
		statistics = append(statistics, after)
	}
	if !slices.Equal(statistics[0], statistics[2]) {
		t.Errorf("the optimiser moved the running variance: %v, without decay %v", statistics[2], statistics[0])
	}
}

// TestCLIPPadding holds that more room behind the texts changes nothing.
func TestCLIPPadding(t *testing.T) {
	batch := tinyPhotos()
	m := newTinyCLIP(t, drawn(), nil, still())
	want, err := m.Loss(batch)
	if err != nil {
		t.Fatal(err)
	}
	for i := range batch.Texts {
		batch.Texts[i] = batch.Texts[i][:16]
	}
	got, err := m.Loss(batch)
	if err != nil {
		t.Fatal(err)
	}
	if got[0] != want[0] {
		t.Errorf("with less room the loss is %v, want %v", got[0], want[0])
	}
}
