package method_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/train"
)

// guessReference is what reference/unpaired.py computed besides tensors.
type guessReference struct {
	CLIP struct {
		VocabSize     int `json:"vocab_size"`
		ContextLength int `json:"context_length"`
		Width         int `json:"width"`
		Layers        int `json:"layers"`
		Heads         int `json:"heads"`
		Start         int `json:"start"`
		End           int `json:"end"`
	} `json:"clip"`
	Length int   `json:"length"`
	Stop   []int `json:"stop"`
	Cases  []struct {
		Name            string        `json:"name"`
		StraightThrough bool          `json:"straight_through"`
		Bridge          method.Bridge `json:"bridge"`
		Tau             float32       `json:"tau"`
		Anchor          float64       `json:"anchor"`
	} `json:"cases"`
}

// semiSupervised prepares the method over the reference's weights.
func semiSupervised(t *testing.T, r *torchReference, o train.Optimizer, change func(*method.SemiSupervisedConfig)) (*method.SemiSupervised, *model.Store) {
	t.Helper()
	var g guessReference
	r.decode(t, &g)
	store := r.store(t)
	c := method.SemiSupervisedConfig{
		Optimizer: o, MaxTokens: 8, Stages: method.Stages{Supervised: 1, Unlabelled: 1, Again: 1}, UnlabelledRate: 1,
		Bridge: method.BridgeTokens, StraightThrough: true, Samples: 1, Length: g.Length, TauFrom: 1, TauTo: 0.5, Anchor: 0.5,
	}
	change(&c)
	m, err := method.NewSemiSupervised(golden.Engine(t), store, r.network(mapper.KindMLP), c, method.Reader{
		CLIP: clip.Config{
			EmbedDim: r.ClipWidth, Activation: clip.QuickGELU,
			Text: clip.Text{ContextLength: g.CLIP.ContextLength, VocabSize: g.CLIP.VocabSize, Width: g.CLIP.Width, Layers: g.CLIP.Layers, Heads: g.CLIP.Heads},
		},
		Table: golden.Floats(t, r.file, "table"), Start: g.CLIP.Start, End: g.CLIP.End, Stop: g.Stop,
		Texts: func(_ context.Context, captions [][]int) ([][]float32, error) {
			return r.rows(t, "texts")[:len(captions)], nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, store
}

func partlyLabelled(t *testing.T, r *torchReference) method.PartlyLabelled {
	return method.PartlyLabelled{
		Pairs:  method.Pairs{Embeddings: r.rows(t, "embeddings"), Captions: r.ids(t, "captions")},
		Photos: r.rows(t, "photos"),
	}
}

// TestGoldenSemiSupervised holds losses, numbers of the log and gradients of both stages
// against PyTorch's, which draws each token from the whole text anew: straight through
// and not, by either bridge, for captions that end and that do not.
func TestGoldenSemiSupervised(t *testing.T) {
	r := readTorch(t, "semi_supervised")
	var g guessReference
	r.decode(t, &g)
	m, store := semiSupervised(t, r, still(), func(*method.SemiSupervisedConfig) {})
	losses, err := m.Step(context.Background(), 0, partlyLabelled(t, r))
	if err != nil {
		t.Fatal(err)
	}
	r.expect(t, "stage 1", store, losses[0].Value, "supervised.loss", "supervised.grad.")
	for _, c := range g.Cases {
		m, store := semiSupervised(t, r, still(), func(config *method.SemiSupervisedConfig) {
			config.StraightThrough, config.Bridge, config.Anchor = c.StraightThrough, c.Bridge, c.Anchor
		})
		var texts [][]float32
		if c.Bridge == method.BridgeText {
			texts = r.rows(t, "texts")
		}
		noise := golden.Floats(t, r.file, "noise")
		losses, err := m.GuessWith(partlyLabelled(t, r), noise, c.Tau, texts)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"similarity", "cross_entropy", "margin", "length", "distinct"} {
			golden.Compare(t, c.Name+": "+name, []float32{float32(named(t, losses, name))}, golden.Floats(t, r.file, c.Name+"."+name), tolerance)
		}
		r.expect(t, c.Name, store, losses[0].Value, c.Name+".loss", c.Name+".grad.")

		captions, err := m.CaptionsOf(partlyLabelled(t, r), noise, c.Tau)
		if err != nil {
			t.Fatal(err)
		}
		for i, ids := range r.ids(t, c.Name+".ids") {
			end := slices.IndexFunc(ids, func(id int) bool { return slices.Contains(g.Stop, id) })
			if end >= 0 {
				ids = ids[:end+1]
			}
			if !slices.Equal(captions[i], ids) {
				t.Errorf("%s: caption %d is %v, want %v", c.Name, i, captions[i], ids)
			}
		}
	}
}

// TestSemiSupervisedMoves the mapper, and the language model unless that is frozen, in
// either stage; never CLIP or the table.
func TestSemiSupervisedMoves(t *testing.T) {
	r := readTorch(t, "semi_supervised")
	o := still()
	o.Schedule.Warmup = 0
	for _, freeze := range []bool{false, true} {
		want := []string{clipcap.MapperScope, clipcap.GPTScope}
		if freeze {
			want = want[:1]
		}
		m, store := semiSupervised(t, r, o, func(c *method.SemiSupervisedConfig) { c.FreezeGPT = freeze })
		for update := range 2 {
			got := moved(t, store, func() {
				if _, err := m.Step(context.Background(), update, partlyLabelled(t, r)); err != nil {
					t.Fatal(err)
				}
			})
			if !slices.Equal(got, want) {
				t.Errorf("update %d, frozen %v, moves %v", update, freeze, got)
			}
		}
	}
}

// TestStages: stage 1 comes first, and again as often as is asked for.
func TestStages(t *testing.T) {
	for want, s := range map[string]method.Stages{
		"1122222222": {Supervised: 2, Unlabelled: 3},
		"1122212221": {Supervised: 2, Unlabelled: 3, Again: 1},
		"2211221122": {Unlabelled: 2, Again: 2},
		"1111111111": {Supervised: 3},
	} {
		got := ""
		for update := range 10 {
			if s.First(update) {
				got += "1"
			} else {
				got += "2"
			}
		}
		if got != want {
			t.Errorf("%+v: %s, want %s", s, got, want)
		}
	}
}

// TestSemiSupervisedDifferences holds what the paper leaves open and was chosen.
func TestSemiSupervisedDifferences(t *testing.T) {
	r := readTorch(t, "semi_supervised")
	run := func(update int, change func(*method.SemiSupervisedConfig)) train.Losses {
		m, _ := semiSupervised(t, r, still(), change)
		losses, err := m.Step(context.Background(), update, partlyLabelled(t, r))
		if err != nil {
			t.Fatal(err)
		}
		return losses
	}
	as := func(*method.SemiSupervisedConfig) {}
	// What is drawn is a function of the seed and the update's number, so that a resumed
	// run draws what it would have drawn.
	a, b, other := run(1, as), run(1, as), run(3, as)
	if named(t, a, "similarity") != named(t, b, "similarity") || named(t, a, "similarity") == named(t, other, "similarity") {
		t.Errorf("the same update twice and another one: %v, %v, %v", a, b, other)
	}
	// The temperature falls in a line over the run's updates.
	if tau := named(t, run(9, as), "tau"); math.Abs(tau-0.5) > 1e-6 {
		t.Errorf("at the last of 10 updates, τ is %g", tau)
	}
	// The columns of the log are the same in both stages, with gaps.
	if first := run(0, as); !math.IsNaN(named(t, first, "similarity")) || named(t, first, "stage") != 1 || len(first) != len(a) {
		t.Errorf("stage 1 logs %v", first)
	}
	// Five captions a photo, as in the paper's pseudo-code, are five rows.
	if got := named(t, run(1, func(c *method.SemiSupervisedConfig) { c.Samples = 5 }), "distinct"); got < 2.0/25 {
		t.Errorf("of 25 captions %g differ", got)
	}
}

func TestSemiSupervisedValidate(t *testing.T) {
	r := readTorch(t, "semi_supervised")
	valid := func() method.SemiSupervisedConfig {
		return method.SemiSupervisedConfig{
			Optimizer: still(), UnlabelledRate: 1, Bridge: method.BridgeText, Samples: 1, Length: 6, TauFrom: 1, TauTo: 1,
		}
	}
	for want, change := range map[string]func(*method.SemiSupervisedConfig){
		"stages":    func(c *method.SemiSupervisedConfig) { c.Stages.Again = -1 },
		"bridge":    func(c *method.SemiSupervisedConfig) { c.Bridge = "wood" },
		"samples":   func(c *method.SemiSupervisedConfig) { c.Samples = 0 },
		"tau_to":    func(c *method.SemiSupervisedConfig) { c.TauTo = 0 },
		"anchor":    func(c *method.SemiSupervisedConfig) { c.Anchor = math.NaN() },
		"length is": func(c *method.SemiSupervisedConfig) { c.Length = 50 },
	} {
		c := valid()
		change(&c)
		_, err := method.NewSemiSupervised(golden.Engine(t), r.store(t), r.network(mapper.KindMLP), c, method.Reader{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
