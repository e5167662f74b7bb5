package method_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/roberta"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
)

// rewardFixture is the golden file of rewards and losses by their formulas.
type rewardFixture struct {
	Half     float64            `json:"loss_clip_weight_half"`
	Real     []float32          `json:"disc_real_logits"`
	Fake     []float32          `json:"disc_fake_logits"`
	BCE      float64            `json:"disc_bce_mean"`
	LossClip float64            `json:"loss_clip"`
	LossDisc float64            `json:"loss_disc"`
	Weights  map[string]float64 `json:"weights"`
}

// TestGoldenCgTGAN holds rewards, advantages, losses and the schedule of w against the
// formulas in float64.
func TestGoldenCgTGAN(t *testing.T) {
	dir := golden.Dir(t, "cgtgan")
	data, err := os.ReadFile(filepath.Join(dir, "cgtgan.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want rewardFixture
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	file := golden.Load(t, filepath.Join(dir, "cgtgan.safetensors"))
	logProb := golden.Floats(t, file, "mean_logprob")
	for _, c := range []struct {
		weight float64 // λ
		name   string
		loss   float64
	}{{0, "reward_clip", want.LossClip}, {1, "reward_img", 0}, {0.5, "", want.Half}} {
		config := method.CgTGANConfig{ClipWeight: c.weight, L1: 0.5}
		samples, greedy := goldenRewards(t, file, config)
		if c.name != "" {
			golden.Compare(t, c.name, narrow(slices.Concat(samples...)), golden.Floats(t, file, c.name+"_sample"), tolerance)
			golden.Compare(t, c.name+" greedy", narrow(greedy), golden.Floats(t, file, c.name+"_greedy"), tolerance)
		}
		if c.loss != 0 {
			checkLoss(t, fmt.Sprint("λ = ", c.weight), logProb, advantagesOf(t, method.BaselineGreedy, samples, greedy), c.loss)
		}
	}
	natural, greedy := rowsOf(golden.Floats(t, file, "disc_logit_sample"), 4), golden.Floats(t, file, "disc_logit_greedy")
	checkLoss(t, "naturalness", logProb, advantagesOf(t, method.BaselineGreedy, natural, wide(greedy)), want.LossDisc)
	golden.Compare(t, "leave-one-out", advantagesOf(t, method.BaselineSample, natural, nil), golden.Floats(t, file, "loo_advantage_disc"), tolerance)

	labels := slices.Concat(slices.Repeat([]float32{1}, len(want.Real)), make([]float32, len(want.Fake)))
	bce := MustExecOnce(golden.Engine(t), loss.BinaryCrossEntropy, slices.Concat(want.Real, want.Fake), labels)
	golden.Compare(t, "discriminator", golden.Values(t, bce), []float32{float32(want.BCE)}, tolerance)

	ramp := method.Ramp{Most: 0.5, After: 150, Over: 2350}
	for update, w := range want.Weights {
		n, err := strconv.Atoi(update)
		if got := ramp.At(n); err != nil || math.Abs(got-w) > 1e-9 {
			t.Errorf("w at %s is %g, want %g", update, got, w)
		}
	}
}

// goldenRewards are those of the golden file's captions: [5][4] and [5].
func goldenRewards(t *testing.T, file *weights.File, c method.CgTGANConfig) (samples [][]float64, greedy []float64) {
	t.Helper()
	const width = 16
	row := func(name string, i int) []float32 { return golden.Floats(t, file, name)[i*width : (i+1)*width] }
	for i := range 5 {
		reward := func(caption []float32) float64 { return c.Reward(row("image", i), row("agg_100", i), caption).Clip }
		var r []float64
		for j := range 4 {
			r = append(r, reward(row("generated", 4*i+j)))
		}
		samples, greedy = append(samples, r), append(greedy, reward(row("greedy", i)))
	}
	return samples, greedy
}

// TestL1: the distance of long embeddings outweighs the angle as much as its share lets it.
func TestL1(t *testing.T) {
	target, caption := []float32{30, 40}, []float32{50, 0}
	for share, want := range map[float64]float64{0: 60, 0.5: 0.5*60 + 0.5*(100-3000), 1: 100 - 3000} {
		if got := (method.CgTGANConfig{L1: share}).Reward(target, target, caption).Clip; math.Abs(got-want) > 1e-4 {
			t.Errorf("μ = %g: %g, want %g", share, got, want)
		}
	}
}

func advantagesOf(t *testing.T, baseline method.Baseline, samples [][]float64, greedy []float64) []float32 {
	t.Helper()
	w := newCircle(t, method.CgTGANConfig{Samples: len(samples[0]), Baseline: baseline, MaxTokens: 4, ReadTokens: 6})
	var rows [][]float64
	for i, r := range samples {
		if greedy != nil {
			r = append(slices.Clip(r), greedy[i])
		}
		rows = append(rows, r)
	}
	return w.Advantages(rows)
}

func checkLoss(t *testing.T, what string, logProb, advantages []float32, want float64) {
	t.Helper()
	got := MustExecOnce(golden.Engine(t), loss.Reinforce, logProb, advantages)
	golden.Compare(t, what, golden.Values(t, got), []float32{float32(want)}, tolerance)
}

func rowsOf(flat []float32, width int) [][]float64 {
	return slices.Collect(slices.Chunk(wide(flat), width))
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

// numbers are words whose text is their ids, for tests without a tokenizer.
func numbers(read int) method.Words {
	return method.Words{
		Stop: []int{toyStop},
		Say:  func(caption []int) string { return strings.Trim(fmt.Sprint(caption), "[]") },
		Read: func(text string) ([]int32, error) {
			ids := slices.Repeat([]int32{1}, read)
			for i, field := range strings.Fields(text) {
				id, err := strconv.Atoi(field)
				if err != nil {
					return nil, err
				}
				ids[i] = int32(id)
			}
			return ids, nil
		},
	}
}

// referenceGAN is the two players of reference/reinforce.py.
func referenceGAN(t *testing.T, o train.Optimizer) (*torchReference, *model.Store, *method.CgTGAN) {
	t.Helper()
	r := readTorch(t, "cgt_gan")
	store := r.store(t)
	config := method.CgTGANConfig{
		Samples: 3, Baseline: method.BaselineGreedy, Weight: method.Ramp{Most: 0.5}, MaxTokens: 8, ReadTokens: 10,
		Generator: o, Discriminator: o,
	}
	m, err := method.NewCgTGAN(golden.Engine(t), store, r.network(mapper.KindMLP), r.RoBERTa, config, numbers(10))
	if err != nil {
		t.Fatal(err)
	}
	return r, store, m
}

// referenceSteps runs one update of each player on the reference's batch.
func referenceSteps(t *testing.T, r *torchReference, m *method.CgTGAN) (generator, discriminator func() train.Losses) {
	t.Helper()
	var batch method.Pairs
	for i, caption := range r.ids(t, "captions") {
		batch.Embeddings = append(batch.Embeddings, r.rows(t, "photos")[i/3])
		batch.Captions = append(batch.Captions, caption)
	}
	var texts []string
	for _, ids := range r.ids(t, "ids") {
		texts = append(texts, strings.Trim(fmt.Sprint(ids), "[]"))
	}
	run := func(losses train.Losses, err error) train.Losses {
		if err != nil {
			t.Fatal(err)
		}
		return losses
	}
	generator = func() train.Losses {
		return run(m.StepGenerator(0, batch, golden.Floats(t, r.file, "clip"), golden.Floats(t, r.file, "natural"), 0.3))
	}
	discriminator = func() train.Losses { return run(m.StepDiscriminator(0, texts[:6], texts[6:])) }
	return generator, discriminator
}

// TestGoldenCgTGANPlayers holds the losses of both players, their gradients and an update
// by AdamW with its rules of decay against PyTorch's.
func TestGoldenCgTGANPlayers(t *testing.T) {
	r, store, m := referenceGAN(t, still())
	generator, discriminator := referenceSteps(t, r, m)
	g, d := generator(), discriminator()
	r.expect(t, "generator", store, g[0].Value, "loss", "generator.grad.")
	r.expect(t, "discriminator", store, d[0].Value, "discriminator_loss", "discriminator.grad.")
	for name, value := range map[string]float64{"loss_clip": g[1].Value, "loss_natural": g[2].Value, "told": d[1].Value} {
		golden.Compare(t, name, []float32{float32(value)}, golden.Floats(t, r.file, name), tolerance)
	}

	o := still()
	o.Schedule.Warmup, o.ClipNorm = 0, 1
	o.AdamW = train.AdamW{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.05, Undecayed: []string{"bias", "LayerNorm.weight"}}
	r, store, m = referenceGAN(t, o)
	generator, discriminator = referenceSteps(t, r, m)
	generator()
	discriminator()
	compared, after := 0, exported(t, store)
	for _, name := range r.file.Names() {
		if variable, ok := strings.CutPrefix(name, "moved."); ok {
			compared++
			golden.Compare(t, name, after[variable], golden.Floats(t, r.file, name), toleranceTrained)
		}
	}
	if compared != 6 {
		t.Errorf("%d variables were compared", compared)
	}
}

// TestCgTGANMoves: a step of either player moves it alone.
func TestCgTGANMoves(t *testing.T) {
	o := still()
	o.Schedule.Warmup = 0
	r, store, m := referenceGAN(t, o)
	generator, discriminator := referenceSteps(t, r, m)
	if got := moved(t, store, func() { discriminator() }); !slices.Equal(got, []string{roberta.HeadScope, roberta.Scope}) {
		t.Errorf("the discriminator's step moved %v", got)
	}
	if got := moved(t, store, func() { generator() }); !slices.Equal(got, []string{clipcap.MapperScope, clipcap.GPTScope}) {
		t.Errorf("the generator's step moved %v", got)
	}
}

// circle is a toy world with its two players: captions are judged by the world's own
// text tower.
type circle struct {
	*method.CgTGAN
	world toy
	store *model.Store
}

func newCircle(t *testing.T, c method.CgTGANConfig) circle {
	t.Helper()
	w := circle{world: newToy(0, 0.3), store: seeded()}
	if c.Generator.Updates == 0 {
		c.Generator, c.Discriminator = toyOptimizer(100), toyOptimizer(100)
	}
	words := numbers(c.ReadTokens)
	words.Embed = func(_ context.Context, captions []string) ([][]float32, error) {
		var out [][]float32
		for _, caption := range captions {
			ids := idsOf(caption)
			if i := slices.Index(ids, toyStop); i >= 0 {
				ids = ids[:i]
			}
			if len(ids) != 1 {
				// It fits nothing. The mean over a caption's own tokens in (4) favours short
				// ones else, and what it comes to is not the largest reward.
				out = append(out, make([]float32, toyWidth))
				continue
			}
			out = append(out, w.world.embed(ids))
		}
		return out, nil
	}
	reader := roberta.Config{VocabSize: toyVocab, Positions: c.ReadTokens + 2, Width: 16, Layers: 1, Heads: 2, Intermediate: 32, PadToken: 1, Epsilon: 1e-5}
	var err error
	w.CgTGAN, err = method.NewCgTGAN(golden.Engine(t), w.store, toyNetwork(), reader, c, words)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func idsOf(text string) []int {
	var ids []int
	for _, field := range strings.Fields(text) {
		if id, err := strconv.Atoi(field); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// best is the largest r_clip = 100·cos(e_I, e_C) that a caption of one word has.
func (w circle) best(photo []float32) float64 {
	best := math.Inf(-1)
	config := method.CgTGANConfig{ClipWeight: 1}
	for word := 2; word < toyVocab; word++ {
		best = max(best, config.Reward(photo, photo, w.world.embed([]int{word})).Clip)
	}
	return best
}

// TestCgTGANToy: from nothing but CLIP's word on its captions the generator finds, of each
// photo, the word that none surpasses; with either baseline.
func TestCgTGANToy(t *testing.T) {
	for _, baseline := range []method.Baseline{method.BaselineGreedy, method.BaselineSample} {
		const updates = 100
		o := toyOptimizer(updates)
		o.Schedule.LearningRate = 1e-2
		w := newCircle(t, method.CgTGANConfig{
			Samples: 16, Baseline: baseline, ClipWeight: 1, Weight: method.Ramp{Most: 1}, MaxTokens: 2, ReadTokens: 4,
			Generator: o, Discriminator: o,
		})
		photos := [][]float32{w.world.photos[0], w.world.photos[21], w.world.photos[63]} // which share no word
		batch := method.Unmatched{Photos: photos, Targets: photos, Sentences: slices.Repeat([]string{"2 6 10"}, 8*12)}
		optimum := 0.0
		for _, photo := range batch.Photos {
			optimum += w.best(photo) / float64(len(batch.Photos))
		}
		var rewards []float64
		for update := range updates {
			losses, err := w.Step(context.Background(), update, batch)
			if err != nil {
				t.Fatal(err)
			}
			rewards = append(rewards, value(t, losses, "reward_clip"))
		}
		if first, last := rewards[0], rewards[updates-1]; first > 0.5*optimum || last < 0.9*optimum {
			t.Errorf("%s: the reward went from %.1f to %.1f, the optimum is %.1f", baseline, first, last, optimum)
		}
	}
}

func value(t *testing.T, losses train.Losses, name string) float64 {
	t.Helper()
	for _, l := range losses {
		if l.Name == name {
			return l.Value
		}
	}
	t.Fatalf("no %s among %v", name, losses)
	return 0
}

// TestDiscriminatorToy: the discriminator tells planted fakes, captions with their words
// in disorder, from captions that it never saw.
func TestDiscriminatorToy(t *testing.T) {
	o := toyOptimizer(120)
	o.Schedule.LearningRate = 5e-3
	w := newCircle(t, method.CgTGANConfig{Samples: 1, Baseline: method.BaselineGreedy, MaxTokens: 4, ReadTokens: 6, Generator: o, Discriminator: o})
	rng := rand.New(rand.NewPCG(3, 3))
	var texts, fakes [2][]string // to learn from, and held out
	for scene, caption := range w.world.captions {
		part := 0
		if isHeldOut(scene) {
			part = 1
		}
		fake := []int{caption[1], caption[2], caption[0], toyStop}
		if rng.IntN(2) == 0 {
			fake = []int{caption[2], caption[0], caption[1], toyStop}
		}
		texts[part] = append(texts[part], "0 "+numbers(6).Say(caption[:3]))
		fakes[part] = append(fakes[part], "0 "+numbers(6).Say(fake[:3]))
	}
	for update := range 120 {
		if _, err := w.StepDiscriminator(update, texts[0], fakes[0]); err != nil {
			t.Fatal(err)
		}
	}
	written, err := w.Judge(texts[1])
	if err != nil {
		t.Fatal(err)
	}
	planted, err := w.Judge(fakes[1])
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i := range written {
		if written[i] > 0 {
			right++
		}
		if planted[i] < 0 {
			right++
		}
	}
	if share := float64(right) / float64(2*len(written)); share < 0.95 {
		t.Errorf("a share of %.2f is told right", share)
	}
}

// TestCgTGANDifferences holds what is deliberately not as the authors' code has it, and
// what looks like a mistake and is not.
func TestCgTGANDifferences(t *testing.T) {
	w := newCircle(t, method.CgTGANConfig{Samples: 4, Baseline: method.BaselineGreedy, MaxTokens: 3, ReadTokens: 5})
	photos := w.world.photos[:4]
	// What an update draws is a function of its number and the weights; the authors'
	// continues one global stream, with dropout.
	one, err := w.Texts(3, photos)
	if err != nil {
		t.Fatal(err)
	}
	if two, err := w.Texts(3, photos); err != nil || !slices.Equal(one, two) {
		t.Errorf("an update that is run again says %v and %v: %v", one, two, err)
	}
	if other, err := w.Texts(4, photos); err != nil || slices.Equal(one, other) {
		t.Errorf("two updates say the same: %v", err)
	}
	// As in the authors' code, a caption that the limit ends is read with a full stop in
	// the place of its last word.
	for _, text := range one {
		if ids := idsOf(text); ids[len(ids)-1] != toyStop {
			t.Errorf("%q ends without the stop token", text)
		}
	}
	if len(one) != 4*5 {
		t.Errorf("%d captions, want 4 samples and a greedy one of 4 photos", len(one))
	}
}

func TestCgTGANValidate(t *testing.T) {
	good := method.CgTGANConfig{Samples: 2, Baseline: method.BaselineSample, ReadTokens: 10}
	reader := roberta.Base()
	if err := good.Validate(reader); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(c *method.CgTGANConfig){
		"baseline":    func(c *method.CgTGANConfig) { c.Baseline = "none" },
		"samples":     func(c *method.CgTGANConfig) { c.Samples = 1 },
		"clip_weight": func(c *method.CgTGANConfig) { c.ClipWeight = 1.5 },
		"l1":          func(c *method.CgTGANConfig) { c.L1 = math.NaN() },
		"weight":      func(c *method.CgTGANConfig) { c.Weight.Most = -1 },
		"read_tokens": func(c *method.CgTGANConfig) { c.ReadTokens = 513 },
	} {
		c := good
		change(&c)
		if err := c.Validate(reader); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
