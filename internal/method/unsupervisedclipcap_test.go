package method_test

import (
	"context"
	"slices"
	"testing"

	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
)

// paraphrases are the reference's captions: 2i and 2i+1 are of photo i.
func paraphrases(t *testing.T, r *torchReference) method.Paraphrases {
	t.Helper()
	b := method.Paraphrases{Captions: r.ids(t, "captions")}
	embeddings := r.rows(t, "embeddings")
	for i := range b.Captions {
		b.Embeddings = append(b.Embeddings, embeddings[i/2*2:i/2*2+2])
		b.Targets = append(b.Targets, i%2)
	}
	return b
}

// TestGoldenUnsupervisedClipCap holds loss and gradients against PyTorch's, for y' the
// other caption and for y' = y.
func TestGoldenUnsupervisedClipCap(t *testing.T) {
	r := readTorch(t, "unsupervised_clipcap")
	for name, matched := range map[string]bool{"matched": true, "same": false} {
		store := r.store(t)
		m, err := method.NewUnsupervisedClipCap(golden.Engine(t), store, r.network(mapper.KindMLP),
			method.UnsupervisedClipCapConfig{Matched: matched, Optimizer: still(), MaxTokens: 8})
		if err != nil {
			t.Fatal(err)
		}
		losses, err := m.Step(context.Background(), 0, paraphrases(t, r))
		if err != nil {
			t.Fatal(err)
		}
		r.expect(t, name, store, losses[0].Value, name+".loss", name+".grad.")
		want := map[bool]float64{true: 1, false: 0}[matched]
		if last := losses[len(losses)-1]; last.Name != "matched" || last.Value != want {
			t.Errorf("%s: the log tells %s %g, want matched %g", name, last.Name, last.Value, want)
		}
	}
}

// TestUnsupervisedClipCapMoves the mapper, and the language model unless that is
// frozen.
func TestUnsupervisedClipCapMoves(t *testing.T) {
	r := readTorch(t, "unsupervised_clipcap")
	for freeze, want := range map[bool][]string{
		false: {clipcap.MapperScope, clipcap.GPTScope},
		true:  {clipcap.MapperScope},
	} {
		store, optimizer := r.store(t), still()
		optimizer.Schedule.Warmup = 0
		m, err := method.NewUnsupervisedClipCap(golden.Engine(t), store, r.network(mapper.KindMLP),
			method.UnsupervisedClipCapConfig{Matched: true, FreezeGPT: freeze, Optimizer: optimizer, MaxTokens: 8})
		if err != nil {
			t.Fatal(err)
		}
		got := moved(t, store, func() {
			if _, err := m.Step(context.Background(), 0, paraphrases(t, r)); err != nil {
				t.Fatal(err)
			}
		})
		if !slices.Equal(got, want) {
			t.Errorf("frozen %v: moved %v, want %v", freeze, got, want)
		}
	}
}

// TestUnsupervisedClipCapDifferences: a photo with one caption is read from that one,
// which the paper leaves open, and the log tells how many there are.
func TestUnsupervisedClipCapDifferences(t *testing.T) {
	r := readTorch(t, "unsupervised_clipcap")
	batch := paraphrases(t, r)
	batch.Embeddings[0], batch.Targets[0] = batch.Embeddings[0][:1], 0
	m, err := method.NewUnsupervisedClipCap(golden.Engine(t), r.store(t), r.network(mapper.KindMLP),
		method.UnsupervisedClipCapConfig{Matched: true, Optimizer: still(), MaxTokens: 8})
	if err != nil {
		t.Fatal(err)
	}
	losses, err := m.Step(context.Background(), 0, batch)
	if err != nil {
		t.Fatal(err)
	}
	if last := losses[len(losses)-1]; last.Value != 5./6 {
		t.Errorf("matched is %g, want 5 of 6", last.Value)
	}
}

// TestUnsupervisedClipCapToy learns the toy world from pairs of captions. What differs
// between two captions of a scene is what it learns to overlook; the gap is not among
// it, so photos need the mean shift.
func TestUnsupervisedClipCapToy(t *testing.T) {
	const updates = 220
	w := newToy(0, 1.5)
	p := pupil{golden.Engine(t), seeded(), toyNetwork()}
	m, err := method.NewUnsupervisedClipCap(p.engine, p.store, p.network,
		method.UnsupervisedClipCapConfig{Matched: true, Optimizer: toyOptimizer(updates), MaxTokens: 8})
	if err != nil {
		t.Fatal(err)
	}
	batch := method.Paraphrases{Captions: split(w.captions, false)}
	others := split(w.others, false)
	for i, text := range split(w.texts, false) {
		batch.Embeddings = append(batch.Embeddings, [][]float32{text, others[i]})
		batch.Targets = append(batch.Targets, 0)
	}
	for update := range updates {
		if _, err := m.Step(context.Background(), update, batch); err != nil {
			t.Fatal(err)
		}
	}
	p.expect(t, "another caption", w, w.others, 0.9, 1)
	p.expect(t, "a photo", w, w.photos, 0, 0.5)
	p.expect(t, "a photo, shifted", w, w.shifted(t), 0.9, 1)
	turned := newToy(1, 0.3)
	p.expect(t, "a turned photo, shifted", turned, turned.shifted(t), 0, 0.5)
	p.expect(t, "a turned photo, rotated", turned, turned.rotated(t, align.ByPairs), 0.9, 1)
}
