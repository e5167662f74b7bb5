package method_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
)

// referenceESPER is the two models of reference/reinforce.py, with its photos, texts and
// what they were before some updates.
func referenceESPER(t *testing.T, o train.Optimizer) (*torchReference, *model.Store, *method.ESPER, method.Episodes) {
	t.Helper()
	r := readTorch(t, "esper")
	store := r.store(t)
	network := r.network(mapper.KindMLP)
	network.Scale = math.Sqrt(float64(r.PrefixLength*r.GPT.Width) / float64(r.ClipWidth))
	m, err := method.NewESPER(golden.Engine(t), store, network, referenceConfig(t, r, o), numbers(8))
	if err != nil {
		t.Fatal(err)
	}
	return r, store, m, method.Episodes{
		Photos: r.rows(t, "photos"), Tokens: int32s(r.ids(t, "tokens")), Counted: r.rows(t, "mask"),
		LogProb: r.rows(t, "old_log_prob"), Value: r.rows(t, "old_value"), Advantage: r.rows(t, "advantage"), Target: r.rows(t, "target"), Learns: 1,
	}
}

func referenceConfig(t *testing.T, r *torchReference, o train.Optimizer) method.ESPERConfig {
	t.Helper()
	var said struct {
		ESPER struct {
			Gain, Bias, KL, Entropy, Length, Repetition, Gamma, Lambda, Clip float64
			Bound                                                            float64 `json:"entropy_bound"`
			Margin                                                           float64 `json:"kl_margin"`
			Penalty                                                          float64 `json:"entropy_weight"`
			Response                                                         int
		}
	}
	r.decode(t, &said)
	e := said.ESPER
	return method.ESPERConfig{
		Gain: e.Gain, Bias: e.Bias, KL: e.KL, Entropy: e.Entropy, EntropyBound: e.Bound, LengthBonus: e.Length, Repetition: e.Repetition,
		KLMargin: e.Margin, EntropyPenalty: e.Penalty, Discount: e.Gamma, Trace: e.Lambda, Clip: e.Clip, Minibatches: 2, Passes: 1,
		Tokens: e.Response, Temperature: 0.7, NoRepeatNgram: 3, PromptTokens: 3, Optimizer: o,
	}
}

// TestGoldenESPER holds both losses and their gradients against PyTorch's, with the KL
// term alone as well.
func TestGoldenESPER(t *testing.T) {
	r, store, m, e := referenceESPER(t, still())
	losses, err := m.StepPolicy(0, e)
	if err != nil {
		t.Fatal(err)
	}
	r.expect(t, "policy", store, losses[0].Value, "loss", "both.grad.")
	for i, name := range []string{"surrogate", "kl_hinge", "entropy_hinge"} {
		golden.Compare(t, name, []float32{float32(losses[1+i].Value)}, golden.Floats(t, r.file, name), tolerance)
	}
	if losses, err = m.StepValue(0, e); err != nil {
		t.Fatal(err)
	}
	r.expect(t, "value model", store, losses[0].Value, "value_loss", "value_model.grad.")

	r, store, m, e = referenceESPER(t, still())
	e.Learns = 0
	if losses, err = m.StepPolicy(0, e); err != nil {
		t.Fatal(err)
	}
	r.expect(t, "early policy", store, losses[0].Value, "kl_hinge", "early.grad.")
}

// TestGoldenESPERRewards holds what is seen of texts, their rewards and advantages
// against PyTorch's.
func TestGoldenESPERRewards(t *testing.T) {
	r, _, m, e := referenceESPER(t, still())
	c := referenceConfig(t, r, still())
	var batch method.Prompted
	var texts [][]int
	for i, n := range slices.Concat(r.ids(t, "prompts")...) {
		tokens := r.ids(t, "tokens")[i]
		batch.Photos, batch.Prompts = append(batch.Photos, e.Photos[i]), append(batch.Prompts, tokens[:n])
		texts = append(texts, tokens[n:n+c.Tokens])
	}
	seen, err := m.Observe(batch, texts)
	if err != nil {
		t.Fatal(err)
	}
	var rewards, values [][]float64
	for name, rows := range map[string][][]float32{"log_prob": seen.LogProb, "reference": seen.Reference, "value": seen.Value} {
		for i, row := range rows {
			for j := range row {
				row[j] *= seen.Counted[i][j]
			}
		}
		golden.Compare(t, name, slices.Concat(rows...), golden.Floats(t, r.file, name), tolerance)
	}
	cosines := golden.Floats(t, r.file, "cosine")
	for i, text := range texts {
		from := len(batch.Prompts[i])
		rewards = append(rewards, c.Rewards(text, float64(cosines[i]), seen.LogProb[i][from:], seen.Reference[i][from:], true))
		values = append(values, wide(seen.Value[i][from:][:len(text)]))
	}
	golden.Compare(t, "rewards", narrow(slices.Concat(rewards...)), golden.Floats(t, r.file, "rewards"), tolerance)
	advantages, targets := c.Advantages(rewards, values)
	golden.Compare(t, "advantages", narrow(slices.Concat(advantages...)), golden.Floats(t, r.file, "advantages"), tolerance)
	golden.Compare(t, "targets", narrow(slices.Concat(targets...)), golden.Floats(t, r.file, "returns"), tolerance)
}

// TestESPERMoves: the policy's step moves the mapper alone, the value model's only it, and
// the language model stays in both.
func TestESPERMoves(t *testing.T) {
	o := still()
	o.Schedule.Warmup = 0
	_, store, m, e := referenceESPER(t, o)
	step := func(f func(int, method.Episodes) (train.Losses, error)) func() {
		return func() {
			if _, err := f(0, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := moved(t, store, step(m.StepPolicy)); !slices.Equal(got, []string{clipcap.MapperScope}) {
		t.Errorf("the policy's step moved %v", got)
	}
	if got := moved(t, store, step(m.StepValue)); !slices.Equal(got, []string{method.ValueScope}) {
		t.Errorf("the value model's step moved %v", got)
	}
}

// toyESPER is the toy world with texts of one word behind the stop token as a prompt.
func toyESPER(t *testing.T, change func(c *method.ESPERConfig)) (toy, *method.ESPER, method.Prompted) {
	t.Helper()
	w := newToy(0, 0.3)
	o := toyOptimizer(100)
	o.Schedule.LearningRate = 5e-3
	c := method.ESPERConfig{
		Gain: 50, Bias: -10, Discount: 1, Trace: 0.95, Clip: 0.2, Minibatches: 2, Passes: 2, EntropyBound: 100,
		KLMargin: 100, Tokens: 1, Temperature: 1, PromptTokens: 2, Optimizer: o,
	}
	change(&c)
	words := numbers(8)
	words.Embed = func(_ context.Context, texts []string) ([][]float32, error) {
		var out [][]float32
		for _, text := range texts {
			ids := slices.DeleteFunc(idsOf(text), func(id int) bool { return id < 2 })
			if len(ids) == 0 {
				out = append(out, make([]float32, toyWidth)) // which fits nothing
				continue
			}
			out = append(out, w.embed(ids))
		}
		return out, nil
	}
	engine, store := golden.Engine(t), seeded()
	strong(t, engine, store, toyNetwork())
	m, err := method.NewESPER(engine, store, toyNetwork(), c, words)
	if err != nil {
		t.Fatal(err)
	}
	var batch method.Prompted
	for i := range 48 {
		batch.Photos = append(batch.Photos, w.photos[[]int{0, 21, 63}[i%3]]) // which share no word
		batch.Prompts = append(batch.Prompts, [][]int{{toyStop}, {toyStop, 0}}[i%2])
	}
	return w, m, batch
}

// strong draws a language model whose matrices are ten times as large as training starts
// with, so that what stands before a word matters to it.
func strong(t *testing.T, engine compute.Backend, store *model.Store, network clipcap.Config) {
	t.Helper()
	if err := weights.Declare(engine, store, network.Declare); err != nil {
		t.Fatal(err)
	}
	if err := store.InitializeVariables(engine, nil); err != nil {
		t.Fatal(err)
	}
	for v := range store.IterVariables() {
		if !strings.HasPrefix(v.Path(), "/"+clipcap.GPTScope+"/") || v.Shape().Rank() != 2 {
			continue
		}
		value, err := v.Value()
		if err != nil {
			t.Fatal(err)
		}
		table, err := tensors.CopyFlatData[float32](value)
		if err != nil {
			t.Fatal(err)
		}
		for i := range table {
			table[i] *= 10
		}
		if err := v.SetValue(tensors.FromFlatDataAndDimensions(table, v.Shape().Dimensions...)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestESPERToy: before a language model that knows nothing and stays so, the mapper
// learns to have the word said that CLIP likes best of each photo; the value model's
// guesses get better; and while the reward does not count, it does not rise.
func TestESPERToy(t *testing.T) {
	w, m, batch := toyESPER(t, func(*method.ESPERConfig) {})
	optimum := 0.0
	for _, photo := range batch.Photos[:3] {
		optimum += circle{world: w}.best(photo) / 300
	}
	first, last := teach(t, m, batch, 100)
	if value(t, first, "cosine") > 0.5*optimum || value(t, last, "cosine") < 0.85*optimum {
		t.Errorf("the cosine went from %.2f to %.2f, the optimum is %.2f", value(t, first, "cosine"), value(t, last, "cosine"), optimum)
	}
	_, early, batch := toyESPER(t, func(c *method.ESPERConfig) { c.After, c.LengthBonus = 60, 2 })
	first, last = teach(t, early, batch, 20)
	if value(t, last, "cosine") > 0.5*optimum {
		t.Errorf("without a reward the cosine rose to %.2f", value(t, last, "cosine"))
	}
	if a, b := value(t, first, "value_loss"), value(t, last, "value_loss"); b > 0.3*a {
		t.Errorf("the value model's loss went from %.3f to %.3f", a, b)
	}
}

func teach(t *testing.T, m *method.ESPER, batch method.Prompted, updates int) (first, last train.Losses) {
	t.Helper()
	for update := range updates {
		losses, err := m.Step(context.Background(), update, batch)
		if err != nil {
			t.Fatal(err)
		}
		if last = losses; first == nil {
			first = losses
		}
	}
	return first, last
}

// TestESPERDifferences holds what is deliberately not as the authors' code has it.
func TestESPERDifferences(t *testing.T) {
	_, m, batch := toyESPER(t, func(c *method.ESPERConfig) { c.Tokens = 5 })
	// Draws are a function of the update's number and the weights; the authors' continue
	// one global stream.
	one, err := m.Written(3, batch)
	if err != nil {
		t.Fatal(err)
	}
	if two, err := m.Written(3, batch); err != nil || !equal(one, two) {
		t.Errorf("an update that is run again writes something else: %v", err)
	}
	// The KL is that of the distributions over tokens, at least 0 and 0 for the language
	// model itself; the authors' kl_without_sampling takes the softmax of what was drawn
	// over time.
	_, early, batch := toyESPER(t, func(c *method.ESPERConfig) { c.KLMargin = 0 })
	losses, err := early.Step(context.Background(), 0, batch)
	if err != nil {
		t.Fatal(err)
	}
	if kl := value(t, losses, "kl"); kl < 0 {
		t.Errorf("the KL is %g", kl)
	}
}

func TestESPERRefuses(t *testing.T) {
	_, m, batch := toyESPER(t, func(*method.ESPERConfig) {})
	batch.Photos, batch.Prompts = batch.Photos[:7], batch.Prompts[:7]
	if _, err := m.Step(context.Background(), 0, batch); err == nil || !strings.Contains(err.Error(), "equal minibatches") {
		t.Errorf("7 photos in 2 parts: %v", err)
	}
	batch.Photos, batch.Prompts = batch.Photos[:4], [][]int{{1}, {}, {1}, {1}}
	if _, err := m.Step(context.Background(), 0, batch); err == nil || !strings.Contains(err.Error(), "behind a prompt of 0") {
		t.Errorf("an empty prompt: %v", err)
	}
	for name, change := range map[string]func(c *method.ESPERConfig){
		"minibatches": func(c *method.ESPERConfig) { c.Minibatches = 0 },
		"tokens":      func(c *method.ESPERConfig) { c.Tokens = 0 },
		"discount":    func(c *method.ESPERConfig) { c.Discount = 2 },
		"clip":        func(c *method.ESPERConfig) { c.Clip = math.NaN() },
	} {
		c := method.ESPERConfig{Minibatches: 1, Passes: 1, Tokens: 1, PromptTokens: 1, Clip: 0.2}
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
