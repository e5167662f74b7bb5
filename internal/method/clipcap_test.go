package method_test

import (
	"context"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/weights"
)

// TestClipCapToy learns the toy world from photos with captions. The gap is nothing to
// it, since photos are what it reads; texts in their place are as lost as photos are to
// one that learned from texts, and are found again in the same ways.
func TestClipCapToy(t *testing.T) {
	moved, turned := newToy(0, 1.5), newToy(1, 0.3)
	p := pupil{golden.Engine(t), seeded(), toyNetwork()}
	p.learnClipCap(t, moved, 220, false)
	p.expect(t, "a photo", moved, moved.photos, 0.9, 1)
	p.expect(t, "a text", moved, moved.texts, 0, 0.5)
	p.expect(t, "a text, shifted", moved, moved.reversed().shifted(t), 0.9, 1)

	p = pupil{golden.Engine(t), seeded(), toyNetwork()}
	p.learnClipCap(t, turned, 220, false)
	p.expect(t, "a turned photo", turned, turned.photos, 0.9, 1)
	p.expect(t, "a text, shifted onto turned photos", turned, turned.reversed().shifted(t), 0, 0.5)
	p.expect(t, "a text, rotated onto turned photos", turned, turned.reversed().rotated(t, align.ByPairs), 0.9, 1)
}

// TestClipCapToyFrozen is the other cell of the paper: a transformer that learns to prompt
// the language model of another captioner, which stays as it is.
func TestClipCapToyFrozen(t *testing.T) {
	w := newToy(1, 1.5)
	teacher := learnCapDec(t, w, 0)
	network := toyNetwork()
	network.Mapper = mapper.Config{Kind: mapper.KindTransformer, ClipWidth: toyWidth, ClipLength: 2, PrefixLength: 3, Width: 32, Layers: 1, Heads: 2}
	p := pupil{teacher.engine, seeded(), network}
	list, err := weights.Export(teacher.store, weights.F32, clipcap.GPTScope)
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range list {
		values, err := tensor.Float32()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.store.CreateVariable(weights.VariablePath(tensor.Name), tensors.FromFlatDataAndDimensions(values, tensor.Shape...)); err != nil {
			t.Fatal(err)
		}
	}
	before := exported(t, p.store)
	p.learnClipCap(t, w, 200, true)
	p.expect(t, "a photo", w, w.photos, 0.9, 1)
	after := exported(t, p.store)
	for name, values := range before {
		if !slices.Equal(values, after[name]) {
			t.Errorf("%s is frozen, and moved", name)
		}
	}
}

// learnClipCap trains a captioner on the photos and captions of the scenes that are
// not held out.
func (p pupil) learnClipCap(t *testing.T, w toy, updates int, freeze bool) {
	t.Helper()
	m, err := method.NewClipCap(p.engine, p.store, p.network,
		method.ClipCapConfig{FreezeGPT: freeze, Optimizer: toyOptimizer(updates), MaxTokens: 8})
	if err != nil {
		t.Fatal(err)
	}
	batch := method.Pairs{Embeddings: split(w.photos, false), Captions: split(w.captions, false)}
	for update := range updates {
		if _, err := m.Step(context.Background(), update, batch); err != nil {
			t.Fatal(err)
		}
	}
}

// reversed is the world in which texts and photos have changed places.
func (w toy) reversed() toy {
	w.photos, w.texts = w.texts, w.photos
	return w
}
