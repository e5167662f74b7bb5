package method_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/cyclegan"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/roberta"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
)

// The bounds of the golden files: for activations and losses, and for gradients and
// trained weights.
const (
	tolerance        = 1e-4
	toleranceTrained = 1e-3
)

// reference is a folder of ClipCap's train.py: what ran, and what came out.
type reference struct {
	OnlyPrefix bool    `json:"only_prefix"`
	Normalize  bool    `json:"normalize"`
	LR         float64 `json:"lr"`
	Warmup     int     `json:"warmup"`
	Total      int     `json:"total"`
	AdamW      struct {
		Betas       [2]float64 `json:"betas"`
		Epsilon     float64    `json:"eps"`
		WeightDecay float64    `json:"weight_decay"`
	} `json:"adamw"`
	Losses []float64          `json:"losses"`
	LRs    []float64          `json:"lrs"`
	Norms  map[string]float64 `json:"grad_norms_step0"`

	network clipcap.Config
	weights []weights.Tensor
	tensors *weights.File
}

func readReference(t *testing.T, name string) *reference {
	dir := golden.Dir(t, name)
	data, err := os.ReadFile(filepath.Join(dir, "train.json"))
	if err != nil {
		t.Fatal(err)
	}
	r := &reference{tensors: golden.Load(t, filepath.Join(dir, "train.safetensors"))}
	if err := json.Unmarshal(data, r); err != nil {
		t.Fatal(err)
	}
	r.network, r.weights = readCheckpoint(t, filepath.Join(dir, "weights.pt"))
	r.network.Normalize = r.Normalize
	return r
}

// readCheckpoint reads a ClipCap checkpoint whose language model has the heads of
// the folder gpt2, and no dropout.
func readCheckpoint(t *testing.T, path string) (clipcap.Config, []weights.Tensor) {
	data, err := os.ReadFile(filepath.Join(golden.Dir(t, "gpt2"), "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	gpt, err := gpt2.ParseHuggingFace(data)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := weights.ClipCap(golden.Load(t, path).Tensors())
	if err != nil {
		t.Fatal(err)
	}
	network, err := clipcap.Infer(weights.Shapes(loaded), gpt.Heads)
	if err != nil {
		t.Fatal(err)
	}
	network.GPT = network.GPT.WithoutDropout()
	return network, loaded
}

func (r *reference) store(t *testing.T) *model.Store {
	store := model.NewStore()
	if err := weights.Declare(golden.Engine(t), store, r.network.Declare); err != nil {
		t.Fatal(err)
	}
	if err := weights.Load(store, r.weights); err != nil {
		t.Fatal(err)
	}
	return store
}

func (r *reference) config() method.ClipCapConfig {
	return method.ClipCapConfig{
		FreezeGPT: r.OnlyPrefix,
		MaxTokens: math.MaxInt,
		Optimizer: train.Optimizer{
			AdamW: train.AdamW{
				Beta1: r.AdamW.Betas[0], Beta2: r.AdamW.Betas[1],
				Epsilon: r.AdamW.Epsilon, WeightDecay: r.AdamW.WeightDecay,
			},
			Schedule: train.Schedule{LearningRate: r.LR, Warmup: r.Warmup, Decay: train.Linear},
			Updates:  r.Total,
		},
	}
}

// batch reads the batch of an update.
func (r *reference) batch(t *testing.T, update int) method.Pairs {
	embeddings := golden.Input(t, r.tensors, fmt.Sprintf("step%d.embedding", update))
	tokens := golden.Input(t, r.tensors, fmt.Sprintf("step%d.tokens", update))
	ids := tensors.MustCopyFlatData[int32](tokens)
	flat := golden.Values(t, embeddings)
	var b method.Pairs
	rows, width, length := embeddings.Shape().Dim(0), embeddings.Shape().Dim(1), tokens.Shape().Dim(1)
	for i := range rows {
		b.Embeddings = append(b.Embeddings, flat[i*width:(i+1)*width])
		caption := make([]int, length)
		for j := range caption {
			caption[j] = int(ids[i*length+j])
		}
		b.Captions = append(b.Captions, caption)
	}
	return b
}

// TestGoldenClipCapTraining replays ten updates of ClipCap's train.py.
func TestGoldenClipCapTraining(t *testing.T) {
	for _, name := range []string{"clipcap_mlp", "clipcap_transformer"} {
		t.Run(name, func(t *testing.T) { replay(t, readReference(t, name)) })
	}
}

func replay(t *testing.T, r *reference) {
	store := r.store(t)
	before := exported(t, store)
	m, err := method.NewClipCap(golden.Engine(t), store, r.network, r.config())
	if err != nil {
		t.Fatal(err)
	}
	for update, want := range r.Losses {
		losses, err := m.Step(context.Background(), update, r.batch(t, update))
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, fmt.Sprintf("loss of update %d", update),
			[]float32{float32(losses[0].Value)}, []float32{float32(want)}, tolerance)
		if got := losses[2].Value; math.Abs(got-r.LRs[update]) > 1e-12 {
			t.Errorf("learning rate of update %d: %g, want %g", update, got, r.LRs[update])
		}
	}
	after := exported(t, store)
	for _, name := range r.tensors.Names() {
		if rest, ok := strings.CutPrefix(name, "after10."); ok {
			golden.Compare(t, name, after[rest], golden.Floats(t, r.tensors, name), toleranceTrained)
		}
	}
	if r.OnlyPrefix {
		frozen(t, before, after)
	}
}

// frozen tells that the language model is what it was, to the bit.
func frozen(t *testing.T, before, after map[string][]float32) {
	for name, values := range before {
		if !strings.HasPrefix(name, clipcap.GPTScope+".") {
			continue
		}
		for i, v := range values {
			if math.Float32bits(v) != math.Float32bits(after[name][i]) {
				t.Errorf("%s[%d] moved from %g to %g", name, i, v, after[name][i])
				break
			}
		}
	}
}

// TestGoldenClipCapGradients compares the gradients of the first update. They are
// read off AdamW's first moment, which after one update is (1−β₁)·g; that update runs
// at learning rate 0 and over all variables, those of a frozen language model too.
func TestGoldenClipCapGradients(t *testing.T) {
	for _, name := range []string{"clipcap_mlp", "clipcap_transformer"} {
		t.Run(name, func(t *testing.T) {
			r := readReference(t, name)
			store, config := r.store(t), r.config()
			config.FreezeGPT = false
			m, err := method.NewClipCap(golden.Engine(t), store, r.network, config)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Step(context.Background(), 0, r.batch(t, 0)); err != nil {
				t.Fatal(err)
			}
			compareGradients(t, r, store)
		})
	}
}

func compareGradients(t *testing.T, r *reference, store *model.Store) {
	moments, err := weights.Export(store, weights.F32, "adamw/m")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, m := range moments {
		name := strings.TrimPrefix(m.Name, "adamw.m.")
		gradient, err := m.Float32()
		if err != nil {
			t.Fatal(err)
		}
		norm := 0.0
		for i := range gradient {
			gradient[i] /= float32(1 - r.AdamW.Betas[0])
			norm += float64(gradient[i]) * float64(gradient[i])
		}
		want, ok := r.Norms[name]
		if !ok {
			t.Errorf("%s has a gradient that the reference lacks", name)
			continue
		}
		seen++
		golden.Compare(t, "norm of "+name, []float32{float32(math.Sqrt(norm))}, []float32{float32(want)}, toleranceTrained)
		if _, ok := r.tensors.Tensor("grad0." + name); ok {
			golden.Compare(t, "gradient of "+name, gradient, golden.Floats(t, r.tensors, "grad0."+name), toleranceTrained)
		}
	}
	if seen != len(r.Norms) {
		t.Errorf("%d variables have a gradient, want %d", seen, len(r.Norms))
	}
}

func exported(t *testing.T, store *model.Store) map[string][]float32 {
	list, err := weights.Export(store, weights.F32, clip.Scope, clipcap.MapperScope, clipcap.GPTScope,
		roberta.Scope, roberta.HeadScope, roberta.LMHeadScope, method.ValueScope, method.WordsScope,
		cyclegan.TextGenerator, cyclegan.PhotoGenerator, cyclegan.TextDiscriminator, cyclegan.PhotoDiscriminator)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]float32)
	for _, tensor := range list {
		if out[tensor.Name], err = tensor.Float32(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
