package method_test

import (
	"context"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/nn"
)

func newDeCap(t *testing.T, r *torchReference, store *model.Store, warmup int) *method.DeCap {
	t.Helper()
	network, optimizer := r.network(mapper.KindLinear), still()
	network.Normalize, optimizer.Schedule.Warmup = true, warmup
	m, err := method.NewDeCap(golden.Engine(t), store, network,
		method.DeCapConfig{LabelSmoothing: 0.1, MaxTokens: 8, Optimizer: optimizer})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestGoldenDeCap(t *testing.T) {
	r := readTorch(t, "decap")
	store := r.store(t)
	batch := method.Pairs{Embeddings: r.rows(t, "embeddings"), Captions: r.ids(t, "captions")}
	losses, err := newDeCap(t, r, store, 1).Step(context.Background(), 0, batch)
	if err != nil {
		t.Fatal(err)
	}
	r.expect(t, "decap", store, losses[0].Value, "loss", "grad.")
}

// TestDeCapMoves all of the decoder, which starts from nothing.
func TestDeCapMoves(t *testing.T) {
	r := readTorch(t, "decap")
	store := r.store(t)
	m := newDeCap(t, r, store, 0)
	batch := method.Pairs{Embeddings: r.rows(t, "embeddings"), Captions: r.ids(t, "captions")}
	got := moved(t, store, func() {
		if _, err := m.Step(context.Background(), 0, batch); err != nil {
			t.Fatal(err)
		}
	})
	if want := []string{clipcap.MapperScope, clipcap.GPTScope}; !slices.Equal(got, want) {
		t.Errorf("moved: %v, want %v", got, want)
	}
}

// TestDeCapDifferences: the initial weights of the one layer before the decoder are
// torch's for a linear layer, as in ClipCap's mappers, where the authors' code has
// GPT-2's N(0, 0.02); and an unnormalised decoder is refused.
func TestDeCapDifferences(t *testing.T) {
	r := readTorch(t, "decap")
	_, err := method.NewDeCap(golden.Engine(t), r.store(t), r.network(mapper.KindLinear), method.DeCapConfig{Optimizer: still(), MaxTokens: 8})
	if err == nil {
		t.Error("a decoder that does not normalise is taken")
	}
}

// rowsMemory is a memory that lies in memory.
type rowsMemory [][]float32

func (m rowsMemory) Len() int   { return len(m) }
func (m rowsMemory) Width() int { return len(m[0]) }
func (m rowsMemory) Block(from, to int, into []float32) {
	copy(into, slices.Concat(m[from:to]...))
}

// TestDeCapToy learns to tell texts from their embeddings. A photo is none of those; its
// projection onto the memory is near one, and so is its nearest text. To decode the
// photo's embedding directly does worse. Where photos lie far off, the memory is asked
// for the wrong texts, unless they are shifted first; a turn nothing here undoes.
func TestDeCapToy(t *testing.T) {
	const updates = 220
	w := newToy(0, 0.5)
	network := toyNetwork()
	network.Mapper = mapper.Config{Kind: mapper.KindLinear, ClipWidth: toyWidth, PrefixLength: 1, Width: network.GPT.Width}
	p := pupil{golden.Engine(t), model.NewStore(), network}
	p.store.SetParam("/"+nn.SeedParam, int64(5))
	m, err := method.NewDeCap(p.engine, p.store, network,
		method.DeCapConfig{LabelSmoothing: 0.1, MaxTokens: 8, Optimizer: toyOptimizer(updates)})
	if err != nil {
		t.Fatal(err)
	}
	// The memory is of other captions than those that are asked for, of all scenes.
	batch := method.Pairs{Embeddings: split(w.texts, false), Captions: split(w.captions, false)}
	for update := range updates {
		if _, err := m.Step(context.Background(), update, batch); err != nil {
			t.Fatal(err)
		}
	}
	memory := rowsMemory(w.others)
	p.expect(t, "a photo, projected", w, project(t, memory, w.photos), 0.9, 1)
	p.expect(t, "a photo, directly", w, w.photos, 0, 0.75)
	nearest, err := align.Nearest(memory, w.photos)
	if err != nil {
		t.Fatal(err)
	}
	var texts [][]float32
	for _, i := range nearest {
		texts = append(texts, memory[i])
	}
	p.expect(t, "a photo, as its nearest text", w, texts, 0.9, 1)
	far := newToy(0, 1.5)
	p.expect(t, "a photo far off, projected", far, project(t, memory, far.photos), 0, 0.5)
	p.expect(t, "a photo far off, shifted and projected", far, project(t, memory, far.shifted(t)), 0.9, 1)
	turned := newToy(1, 1)
	p.expect(t, "a turned photo, projected", turned, project(t, memory, turned.photos), 0, 0.5)
}

func project(t *testing.T, memory align.Memory, photos [][]float32) [][]float32 {
	t.Helper()
	out, err := align.Project(memory, photos, 100)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
