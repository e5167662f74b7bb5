package method_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
)

func capDecNetwork(r *torchReference) clipcap.Config {
	network := r.network(mapper.KindMLP)
	network.Normalize = true
	return network
}

// TestGoldenCapDec holds loss and gradients against PyTorch's: without noise, with
// noise, and with the offset besides.
func TestGoldenCapDec(t *testing.T) {
	r := readTorch(t, "capdec")
	batch := method.Pairs{Embeddings: r.rows(t, "embedding"), Captions: r.ids(t, "captions")}
	noise, offset := r.rows(t, "noise"), golden.Floats(t, r.file, "offset")
	for _, c := range []struct {
		name   string
		noise  method.Noise
		offset []float32
	}{
		{"plain", method.Noise{Kind: method.Gaussian}, nil},
		{"noise", method.Noise{Kind: method.Ball, Variance: 1}, nil},
		{"offset", method.PaperNoise(), offset},
	} {
		store := r.store(t)
		config := method.CapDecConfig{Noise: c.noise, Optimizer: still(), MaxTokens: 8}
		m, err := method.NewCapDec(golden.Engine(t), store, capDecNetwork(r), config, c.offset)
		if err != nil {
			t.Fatal(err)
		}
		losses, err := m.StepWithNoise(0, batch, noise)
		if err != nil {
			t.Fatal(err)
		}
		r.expect(t, c.name, store, losses[0].Value, c.name+".loss", c.name+".grad.")
	}
}

// TestCapDecNoise compares the draws with the moments of both distributions: σ²·E for
// the squared length of the Gaussian, σ²·E/(E+2) in the ball, which none leaves.
func TestCapDecNoise(t *testing.T) {
	const rows, width, variance = 4000, 8, 0.016
	for _, c := range []struct {
		kind method.NoiseKind
		want float64
	}{
		{method.Gaussian, variance * width},
		{method.Ball, variance * width / (width + 2)},
	} {
		rng := rand.New(rand.NewPCG(1, 1))
		sum, longest := 0.0, 0.0
		mean := make([]float64, width)
		for _, row := range (method.Noise{Kind: c.kind, Variance: variance}).Draw(rng, rows, width) {
			square := 0.0
			for j, v := range row {
				square += float64(v) * float64(v)
				mean[j] += float64(v) / rows
			}
			sum, longest = sum+square/rows, max(longest, square)
		}
		if math.Abs(sum/c.want-1) > 0.05 {
			t.Errorf("%s: mean squared length %g, want %g", c.kind, sum, c.want)
		}
		if c.kind == method.Ball && longest > variance*(1+1e-6) {
			t.Errorf("a draw of squared length %g leaves the ball", longest)
		}
		for j, m := range mean {
			if math.Abs(m) > 5*math.Sqrt(c.want/width/rows) {
				t.Errorf("%s: coordinate %d has mean %g", c.kind, j, m)
			}
		}
	}
}

func newCapDec(t *testing.T, freeze bool) (*method.CapDec, func() []string) {
	r := readTorch(t, "capdec")
	store, optimizer := r.store(t), still()
	optimizer.Schedule.Warmup, optimizer.Seed = 0, 3
	config := method.CapDecConfig{Noise: method.PaperNoise(), FreezeGPT: freeze, Optimizer: optimizer, MaxTokens: 8}
	m, err := method.NewCapDec(golden.Engine(t), store, capDecNetwork(r), config, nil)
	if err != nil {
		t.Fatal(err)
	}
	batch := method.Pairs{Embeddings: r.rows(t, "embedding"), Captions: r.ids(t, "captions")}
	return m, func() []string {
		return moved(t, store, func() {
			if _, err := m.Step(context.Background(), 0, batch); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestCapDecMoves the mapper, and the language model unless that is frozen.
func TestCapDecMoves(t *testing.T) {
	_, step := newCapDec(t, false)
	if got := step(); !slices.Equal(got, []string{clipcap.MapperScope, clipcap.GPTScope}) {
		t.Errorf("moved: %v", got)
	}
	_, step = newCapDec(t, true)
	if got := step(); !slices.Equal(got, []string{clipcap.MapperScope}) {
		t.Errorf("with a frozen language model, moved: %v", got)
	}
}

// TestCapDecDifferences holds what is deliberately not as the authors' code has it.
func TestCapDecDifferences(t *testing.T) {
	// Noise is a function of the seed and the update's number alone, so that a resumed
	// run draws what it would have drawn; the authors' continues one global stream.
	a, b := losses(t), losses(t)
	if a[0] != b[0] || a[1] != b[1] {
		t.Errorf("the same updates have losses %v and %v", a, b)
	}
	if a[0] == a[1] {
		t.Error("two updates have the same noise")
	}
	// A captioner that does not normalise cannot be trained: the authors' public
	// notebook forgot the normalisation that the training had.
	r := readTorch(t, "capdec")
	_, err := method.NewCapDec(golden.Engine(t), r.store(t), r.network(mapper.KindMLP),
		method.CapDecConfig{Noise: method.PaperNoise(), Optimizer: still(), MaxTokens: 8}, nil)
	if err == nil || !strings.Contains(err.Error(), "normalize is off") {
		t.Errorf("without normalisation: %v", err)
	}
}

// losses are those of the first update twice over, as if it were update 0 and 1, from
// the same weights.
func losses(t *testing.T) (out [2]float64) {
	r := readTorch(t, "capdec")
	batch := method.Pairs{Embeddings: r.rows(t, "embedding"), Captions: r.ids(t, "captions")}
	for update := range out {
		optimizer := still()
		optimizer.Schedule.Warmup, optimizer.Seed = 10, 3
		m, err := method.NewCapDec(golden.Engine(t), r.store(t), capDecNetwork(r),
			method.CapDecConfig{Noise: method.PaperNoise(), Optimizer: optimizer, MaxTokens: 8}, nil)
		if err != nil {
			t.Fatal(err)
		}
		losses, err := m.Step(context.Background(), update, batch)
		if err != nil {
			t.Fatal(err)
		}
		out[update] = losses[0].Value
	}
	return out
}

func TestNoiseValidate(t *testing.T) {
	for _, n := range []method.Noise{
		{Kind: "uniform", Variance: 1}, {Kind: method.Ball, Variance: -1},
		{Kind: method.Gaussian, Variance: math.NaN()}, {Kind: method.Gaussian, Variance: math.Inf(1)},
	} {
		if n.Validate() == nil {
			t.Errorf("%+v is taken", n)
		}
	}
}

// TestCapDecToy learns the toy world from its captions. Noise bridges an offset that
// is small beside it, and the mean shift any; a turn takes a rotation.
func TestCapDecToy(t *testing.T) {
	near := newToy(0, 0.3)
	noisy := learnCapDec(t, near, 0.02)
	noisy.expect(t, "a text", near, near.texts, 1, 1)
	noisy.expect(t, "a photo", near, near.photos, 0.9, 1)

	far := newToy(0, 1.5)
	noisy.expect(t, "a photo far off", far, far.photos, 0, 0.5)
	noisy.expect(t, "a photo far off, shifted", far, far.shifted(t), 0.9, 1)

	turned := newToy(1, 0.3)
	noisy.expect(t, "a turned photo, shifted", turned, turned.shifted(t), 0, 0.5)
	noisy.expect(t, "a turned photo, rotated", turned, turned.rotated(t, align.ByPairs), 0.9, 1)
	noisy.expect(t, "a turned photo, signs as they come", turned, turned.rotated(t, align.AsDecomposed), 0, 0.5)
}

func learnCapDec(t *testing.T, w toy, variance float64) pupil {
	t.Helper()
	const updates = 220
	p := pupil{golden.Engine(t), seeded(), toyNetwork()}
	m, err := method.NewCapDec(p.engine, p.store, p.network, method.CapDecConfig{
		Noise: method.Noise{Kind: method.Gaussian, Variance: variance}, Optimizer: toyOptimizer(updates), MaxTokens: 8,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	batch := method.Pairs{Embeddings: split(w.texts, false), Captions: split(w.captions, false)}
	for update := range updates {
		if _, err := m.Step(context.Background(), update, batch); err != nil {
			t.Fatal(err)
		}
	}
	return p
}
