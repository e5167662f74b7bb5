package method_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/cyclegan"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/train"
)

// ganReference is what reference/unpaired.py computed besides tensors.
type ganReference struct {
	Width  int `json:"clip_width"`
	Layers int `json:"layers"`
	Hidden int `json:"hidden"`
	Cases  []struct {
		Name string `json:"name"`
		cyclegan.Config
		Adversarial, Cycle, Identity float64
	} `json:"cases"`
}

// ganOf prepares a case of the reference, over its weights.
func ganOf(t *testing.T, r *torchReference, number int, o train.Optimizer, pool int) (*method.LatentCycleGAN, *model.Store) {
	t.Helper()
	var g ganReference
	r.decode(t, &g)
	c := g.Cases[number]
	network := cyclegan.Config{Width: g.Width, Layers: g.Layers, FinalActivation: c.FinalActivation, Normalize: c.Normalize}
	store := r.store(t)
	m, err := method.NewLatentCycleGAN(golden.Engine(t), store, network, method.LatentCycleGANConfig{
		Adversarial: c.Adversarial, Cycle: c.Cycle, Identity: c.Identity, Hidden: g.Hidden, Pool: pool,
		Optimizer: o, DiscriminatorRate: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, store
}

func unpaired(t *testing.T, r *torchReference) method.Unpaired {
	return method.Unpaired{Photos: r.rows(t, "photos"), Texts: r.rows(t, "texts")}
}

func named(t *testing.T, losses train.Losses, name string) float64 {
	t.Helper()
	i := slices.IndexFunc(losses, func(l train.Loss) bool { return l.Name == name })
	if i < 0 {
		t.Fatalf("no %s among %v", name, losses)
	}
	return losses[i].Value
}

// TestGoldenLatentCycleGAN holds the losses and gradients of both players against
// PyTorch's. The generators move in the update whose gradients are compared, so those of
// the discriminators tell that they are shown what was generated before.
func TestGoldenLatentCycleGAN(t *testing.T) {
	r := readTorch(t, "latent_cyclegan")
	for number, name := range []string{"paper", "plain"} {
		moving := still()
		moving.Schedule.Warmup = 0
		m, store := ganOf(t, r, number, moving, 0)
		losses, err := m.Step(context.Background(), 0, unpaired(t, r))
		if err != nil {
			t.Fatal(err)
		}
		for _, loss := range []string{"adversarial", "cycle", "identity", "spread", "discriminator_loss"} {
			golden.Compare(t, name+": "+loss, []float32{float32(named(t, losses, loss))}, golden.Floats(t, r.file, name+"."+loss), tolerance)
		}
		r.expect(t, name, store, named(t, losses, "loss"), name+".loss", name+".grad.")
	}
}

// TestGoldenTextualize holds the translation of photos against PyTorch's.
func TestGoldenTextualize(t *testing.T) {
	r := readTorch(t, "latent_cyclegan")
	var g ganReference
	r.decode(t, &g)
	for _, c := range g.Cases {
		network := cyclegan.Config{Width: g.Width, Layers: g.Layers, FinalActivation: c.FinalActivation, Normalize: c.Normalize}
		translator, err := cyclegan.NewTranslator(golden.Engine(t), r.store(t), network)
		if err != nil {
			t.Fatal(err)
		}
		texts, err := translator.Textualize(context.Background(), r.rows(t, "photos"))
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, c.Name, slices.Concat(texts...), golden.Floats(t, r.file, c.Name+".text"), tolerance)
	}
}

// TestLatentCycleGANMoves: the generators' half of an update moves them alone, the
// discriminators' half them alone.
func TestLatentCycleGANMoves(t *testing.T) {
	r := readTorch(t, "latent_cyclegan")
	moving := still()
	moving.Schedule.Warmup = 0
	m, store := ganOf(t, r, 0, moving, 3)
	for _, test := range []struct {
		what string
		step func() error
		want []string
	}{
		{"the generators' half", func() error { return m.MoveGenerators(unpaired(t, r)) }, []string{cyclegan.PhotoGenerator, cyclegan.TextGenerator}},
		{"the discriminators' half", func() error { return m.MoveDiscriminators(unpaired(t, r)) }, []string{cyclegan.PhotoDiscriminator, cyclegan.TextDiscriminator}},
	} {
		got := moved(t, store, func() {
			if err := test.step(); err != nil {
				t.Fatal(err)
			}
		})
		if !slices.Equal(got, test.want) {
			t.Errorf("%s moves %v, want %v", test.what, got, test.want)
		}
	}
}

// TestLatentCycleGANDifferences holds what the paper leaves open and was chosen.
func TestLatentCycleGANDifferences(t *testing.T) {
	r := readTorch(t, "latent_cyclegan")
	// Adam's ε stands outside of the bias correction, as in the ClipCap family, unlike in
	// torch's: with a huge one the first update is ε⁻¹·lr·√(1−β₂)·g, not ε⁻¹·lr·g.
	o := train.Optimizer{
		AdamW:    train.AdamW{Beta1: 0.5, Beta2: 0.999, Epsilon: 1e6},
		Schedule: train.Schedule{LearningRate: 1e6, Decay: train.Constant}, Updates: 10,
	}
	m, store := ganOf(t, r, 0, o, 0)
	const bias = "text_generator.layers.0.bias"
	before := exported(t, store)[bias]
	if _, err := m.Step(context.Background(), 0, unpaired(t, r)); err != nil {
		t.Fatal(err)
	}
	after := exported(t, store)[bias]
	for i, g := range golden.Floats(t, r.file, "paper.grad."+bias) {
		if moved := float64(after[i] - before[i]); moved > 0 == (g > 0) || !near(moved, -0.0316228*float64(g), 0.02) {
			t.Errorf("a gradient of %g moved it by %g", g, moved)
		}
	}
	// What is generated is not normalised, though what is read is: its length is the
	// captioner's to see to.
	for _, row := range r.rows(t, "paper.text") {
		if near(norm(widened(row)), 1, 1e-3) {
			t.Errorf("a generated embedding has length 1")
		}
	}
}

func near(a, b, share float64) bool { return (a-b)*(a-b) <= share*share*b*b+1e-12 }

func widened(row []float32) []float64 {
	out := make([]float64, len(row))
	for i, v := range row {
		out[i] = float64(v)
	}
	return out
}

// TestPool: rows come back as they are while there is room; then about half of them are
// swapped for earlier ones, each of which was taken in once.
func TestPool(t *testing.T) {
	p, err := method.NewPool(model.NewStore(), 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	next, swapped, seen := float32(0), 0, map[float32]int{}
	for update := range 200 {
		fresh := []float32{next, next + 1, next + 2}
		shown, err := p.Swap(fresh, update*3, rng)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range shown {
			if row != fresh[i] {
				swapped++
				if update == 0 || row > fresh[i] {
					t.Fatalf("update %d shows %g for %g", update, row, fresh[i])
				}
			}
			if seen[row]++; seen[row] > 2 {
				t.Errorf("%g is shown %d times", row, seen[row])
			}
		}
		next += 3
	}
	if swapped < 240 || swapped > 360 {
		t.Errorf("%d of 600 rows were swapped, want about half", swapped)
	}
}

// TestLatentCycleGANToy learns to translate photos of the toy world, turned and moved,
// from photos and texts of scenes that have nothing to do with each other. A captioner of
// texts' embeddings then is right on at least 0.9 of them, and so has at least 0.9 of what
// any pairs could teach; directly it is right on less than half.
func TestLatentCycleGANToy(t *testing.T) {
	w := newToy(0.4, 1)
	decoder := learnCapDec(t, w, 0)
	decoder.expect(t, "a text", w, w.texts, 1, 1)
	decoder.expect(t, "a photo as it is", w, w.photos, 0, 0.5)

	store := seeded()
	network := cyclegan.Config{Width: toyWidth, Layers: 4, FinalActivation: true, Normalize: true}
	const updates, size = 1000, 48
	m, err := method.NewLatentCycleGAN(decoder.engine, store, network, method.LatentCycleGANConfig{
		Adversarial: 1, Cycle: 10, Identity: 5, Hidden: 64, Pool: 50, DiscriminatorRate: 1,
		Optimizer: train.Optimizer{
			AdamW:    train.AdamW{Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-8},
			Schedule: train.Schedule{LearningRate: 5e-3, Decay: train.Linear, Hold: 0.5}, Updates: updates,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	photos, texts := split(w.photos, false), split(w.texts, false)
	rng := rand.New(rand.NewPCG(8, 9))
	for update := range updates {
		var b method.Unpaired
		for range size {
			b.Photos = append(b.Photos, photos[rng.IntN(len(photos))])
			b.Texts = append(b.Texts, texts[rng.IntN(len(texts))])
		}
		losses, err := m.Step(context.Background(), update, b)
		if err != nil {
			t.Fatal(err)
		}
		if update == updates-1 && named(t, losses, "spread") < 0.5 {
			t.Errorf("the translations lie closely together: %v", losses)
		}
	}
	translator, err := cyclegan.NewTranslator(decoder.engine, store, network)
	if err != nil {
		t.Fatal(err)
	}
	translated, err := translator.Textualize(context.Background(), w.photos)
	if err != nil {
		t.Fatal(err)
	}
	decoder.expect(t, "a photo, textualised", w, translated, 0.9, 1)
}
