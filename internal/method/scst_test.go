package method_test

import (
	"context"
	"slices"
	"testing"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/train"
)

// rewarded prepares a captioner of the toy world that nothing was told, and that learns
// from the share of right words in what it writes of the photos of the rows.
func rewarded(t *testing.T, w toy, c method.SCSTConfig, rows []int) (pupil, *method.SCST) {
	t.Helper()
	p := pupil{golden.Engine(t), drawn(), toyNetwork()}
	reward := func(_ context.Context, scenes method.Scenes, captions [][][]int) ([][]float64, train.Losses, error) {
		rewards, sum := make([][]float64, len(captions)), 0.0
		for i, row := range captions {
			for _, caption := range row {
				right := 0.0
				for j, id := range w.captions[rows[scenes.Photos[i]]] {
					if j < len(caption) && caption[j] == id {
						right += 0.25
					}
				}
				rewards[i] = append(rewards[i], right)
				sum += right / float64(len(row))
			}
		}
		return rewards, train.Losses{{Name: "reward", Value: sum / float64(len(captions))}}, nil
	}
	m, err := method.NewSCST(p.engine, p.store, p.network, c, []int{toyStop}, reward)
	if err != nil {
		t.Fatal(err)
	}
	return p, m
}

// scenes are photos of the toy world that can be trained on, and their rows.
func (w toy) scenes() (scenes method.Scenes, rows []int) {
	for i, photo := range w.photos {
		if !isHeldOut(i) {
			scenes.Photos = append(scenes.Photos, len(rows))
			scenes.Embeddings = append(scenes.Embeddings, photo)
			rows = append(rows, i)
		}
	}
	return scenes, rows
}

// TestSCSTToy: a captioner that was told captions for a moment, and is right now and then,
// learns the rest from rewards alone, without being told another.
func TestSCSTToy(t *testing.T) {
	const updates = 220
	w := newToy(0, 0)
	all, rows := w.scenes()
	p, m := rewarded(t, w, method.SCSTConfig{Samples: 5, MaxTokens: 4, Optimizer: toyOptimizer(updates)}, rows)
	told, err := method.NewClipCap(p.engine, p.store, p.network, method.ClipCapConfig{MaxTokens: 4, Optimizer: toyOptimizer(1000)})
	if err != nil {
		t.Fatal(err)
	}
	for update := range 15 {
		if _, err := told.Step(t.Context(), update, method.Pairs{Embeddings: split(w.photos, false), Captions: split(w.captions, false)}); err != nil {
			t.Fatal(err)
		}
	}
	p.expect(t, "before", w, w.photos, 0, 0.5)
	var rewards []float64
	for update := range updates {
		losses, err := m.Step(t.Context(), update, all)
		if err != nil {
			t.Fatal(err)
		}
		rewards = append(rewards, losses[len(losses)-1].Value)
	}
	if first, last := rewards[0], rewards[updates-1]; first > 0.7 || last < 0.97 {
		t.Errorf("the reward goes from %.3f to %.3f, want from little to almost 1", first, last)
	}
	p.expect(t, "learned from rewards", w, w.photos, 0.9, 1)
}

// TestSCSTMoves holds that a frozen language model stays, and another learns along.
func TestSCSTMoves(t *testing.T) {
	w := newToy(0, 0)
	all, rows := w.scenes()
	for _, c := range []struct {
		frozen bool
		moved  []string
	}{{true, []string{clipcap.MapperScope}}, {false, []string{clipcap.MapperScope, clipcap.GPTScope}}} {
		p, m := rewarded(t, w, method.SCSTConfig{Samples: 4, FreezeGPT: c.frozen, MaxTokens: 4, Optimizer: still()}, rows)
		if _, err := m.Need(all); err != nil { // draws the variables
			t.Fatal(err)
		}
		if _, err := m.Step(t.Context(), 0, all); err != nil { // at learning rate 0
			t.Fatal(err)
		}
		got := moved(t, p.store, func() {
			if _, err := m.Step(t.Context(), 1, all); err != nil {
				t.Fatal(err)
			}
		})
		if !slices.Equal(got, c.moved) {
			t.Errorf("frozen %v: moved %v, want %v", c.frozen, got, c.moved)
		}
	}
	if _, err := method.NewSCST(golden.Engine(t), drawn(), toyNetwork(), method.SCSTConfig{Samples: 1, MaxTokens: 4, Optimizer: still()}, nil, nil); err == nil {
		t.Error("one sample, which there is nothing to compare with, is accepted")
	}
}

func TestLeaveOneOut(t *testing.T) {
	got := method.LeaveOneOut([]float64{1, 2, 6})
	if want := []float32{1 - 4, 2 - 3.5, 6 - 1.5}; !slices.Equal(got, want) {
		t.Errorf("advantages %v, want %v", got, want)
	}
}
