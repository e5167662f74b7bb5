package method_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/roberta"
	"github.com/cutline-go/cutline/internal/train"
)

// markersOf are the markers of a vocabulary of a size.
func markersOf(size int) method.Markers {
	return method.Markers{Start: 0, End: 2, Mask: size - 1, Last: 3}
}

func newRoBERTa(t *testing.T, store *model.Store, network roberta.Config, o train.Optimizer) *method.RoBERTa {
	t.Helper()
	m, err := method.NewRoBERTa(golden.Engine(t), store, network,
		method.RoBERTaConfig{Masking: method.PaperMasking(), Optimizer: o, MaxTokens: network.MaxTokens()}, markersOf(network.VocabSize))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGoldenMaskedLanguageModel holds loss and gradients against PyTorch's.
func TestGoldenMaskedLanguageModel(t *testing.T) {
	r := readTorch(t, "roberta_lm")
	store := r.store(t)
	m := newRoBERTa(t, store, r.RoBERTa, still())
	losses, err := m.StepSpoiled(0, int32s(r.ids(t, "ids")), int32s(r.ids(t, "places")), int32s(r.ids(t, "words")), r.rows(t, "counted"))
	if err != nil {
		t.Fatal(err)
	}
	r.expect(t, "masked", store, losses[0].Value, "loss", "grad.")
	golden.Compare(t, "accuracy", []float32{float32(losses[1].Value)}, golden.Floats(t, r.file, "accuracy"), tolerance)
}

func int32s(rows [][]int) [][]int32 {
	out := make([][]int32, len(rows))
	for i, row := range rows {
		for _, id := range row {
			out[i] = append(out[i], int32(id))
		}
	}
	return out
}

// TestRoBERTaMasking counts what is masked, and by what: 15 % of the tokens, of which
// 80 % become <mask> and 10 % another token, none of them a marker.
func TestRoBERTaMasking(t *testing.T) {
	const vocabulary, updates = 50, 400
	network := roberta.Config{VocabSize: vocabulary, Positions: 20, Width: 8, Layers: 1, Heads: 2, Intermediate: 8, PadToken: 1, Epsilon: 1e-5}
	m := newRoBERTa(t, seeded(), network, still())
	batch := method.Texts{Sentences: [][]int{{4, 5, 6}, {7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, {}}}
	tokens, told, masked, random := 0, 0, 0, 0
	for update := range updates {
		ids, places, words, counted := m.Spoiled(batch, update)
		tokens += 13
		for i, sentence := range batch.Sentences {
			if ids[i][0] != 0 || ids[i][len(sentence)+1] != 2 || slices.Contains(ids[i][1:len(sentence)+1], 1) {
				t.Fatalf("sentence %v is read as %v", sentence, ids[i])
			}
			for s, counts := range counted[i] {
				if counts == 0 {
					continue
				}
				told++
				at := places[i][s]
				if words[i][s] != int32(sentence[at-1]) {
					t.Fatalf("at %d of %v word %d is to be told", at, sentence, words[i][s])
				}
				switch read := ids[i][at]; {
				case read == vocabulary-1:
					masked++
				case read != words[i][s]:
					random++
					if read < 4 {
						t.Fatalf("marker %d replaces a word", read)
					}
				}
			}
		}
	}
	for what, share := range map[string][2]float64{
		"told":    {float64(told) / float64(tokens), 0.15},
		"masked":  {float64(masked) / float64(told), 0.8},
		"another": {float64(random) / float64(told), 0.1 * 44 / 45},
	} {
		if math.Abs(share[0]-share[1]) > 0.15*share[1]+0.01 {
			t.Errorf("%s: a share of %.3f, want %.3f", what, share[0], share[1])
		}
	}
}

// TestRoBERTaMoves the encoder and its head; the pooler stays.
func TestRoBERTaMoves(t *testing.T) {
	r := readTorch(t, "roberta_lm")
	store, optimizer := r.store(t), still()
	optimizer.Schedule.Warmup = 0
	m := newRoBERTa(t, store, r.RoBERTa, optimizer)
	pooler := golden.Floats(t, r.file, "weight.roberta.pooler.dense.weight")
	got := moved(t, store, func() {
		if _, err := m.Step(context.Background(), 0, method.Texts{Sentences: [][]int{{4, 5, 6, 7, 8, 9, 10}}}); err != nil {
			t.Fatal(err)
		}
	})
	if !slices.Equal(got, []string{roberta.LMHeadScope, roberta.Scope}) {
		t.Errorf("moved: %v", got)
	}
	if !slices.Equal(exported(t, store)["roberta.pooler.dense.weight"], pooler) {
		t.Error("the pooler moved")
	}
}

// TestRoBERTaDifferences holds what is deliberately not as the authors' code has it.
func TestRoBERTaDifferences(t *testing.T) {
	network := roberta.Config{VocabSize: 30, Positions: 20, Width: 8, Layers: 1, Heads: 2, Intermediate: 8, PadToken: 1, Epsilon: 1e-5}
	m := newRoBERTa(t, seeded(), network, still())
	// Sentences stand alone; the authors fill 512 tokens with as many as fit. Markers are
	// never masked; the authors' code may mask them.
	batch := method.Texts{Sentences: [][]int{{4, 5, 6, 7, 8, 9, 10, 11}, {12}}}
	for update := range 50 {
		_, places, _, counted := m.Spoiled(batch, update)
		for i, sentence := range batch.Sentences {
			for s, counts := range counted[i] {
				if at := int(places[i][s]); counts == 1 && (at < 1 || at > len(sentence)) {
					t.Errorf("place %d of %v is masked", at, sentence)
				}
			}
		}
	}
	// What is masked is a function of the seed and the update's number, and for judging
	// always the same.
	a, _, _, _ := m.Spoiled(batch, 3)
	b, _, _, _ := m.Spoiled(batch, 3)
	if !slices.EqualFunc(a, b, slices.Equal[[]int32]) {
		t.Error("an update that is run again masks other tokens")
	}
	one, err := m.Loss(batch)
	if err != nil {
		t.Fatal(err)
	}
	if two, err := m.Loss(batch); err != nil || one[0] != two[0] {
		t.Errorf("a batch is judged by the losses %v and %v: %v", one, two, err)
	}
}

func TestMaskingValidate(t *testing.T) {
	for _, m := range []method.Masking{{}, {Rate: 1.5}, {Rate: math.NaN()}, {Rate: 0.1, Mask: 0.8, Random: 0.3}, {Rate: 0.1, Mask: -1}} {
		if m.Validate() == nil {
			t.Errorf("%+v is taken", m)
		}
	}
}

// TestRoBERTaToy learns a language in which a word says which one follows it, and fills
// in what is masked of sentences that it never read.
func TestRoBERTaToy(t *testing.T) {
	const words, updates = 6, 350
	network := roberta.Config{VocabSize: 4 + words + 1, Positions: 12, Width: 32, Layers: 1, Heads: 2, Intermediate: 64, PadToken: 1, Epsilon: 1e-5}
	o := toyOptimizer(updates)
	o.Schedule.LearningRate, o.Schedule.Warmup = 3e-3, 30
	m := newRoBERTa(t, seeded(), network, o)
	rng := rand.New(rand.NewPCG(1, 2))
	batch := func() method.Texts {
		var b method.Texts
		for range 32 {
			sentence := []int{4 + rng.IntN(words)}
			for len(sentence) < 8 {
				sentence = append(sentence, 4+(sentence[len(sentence)-1]-4+1)%words)
			}
			b.Sentences = append(b.Sentences, sentence)
		}
		return b
	}
	judged := batch()
	before := accuracy(t, m, judged)
	for update := range updates {
		if _, err := m.Step(context.Background(), update, batch()); err != nil {
			t.Fatal(err)
		}
	}
	if after := accuracy(t, m, judged); before > 0.4 || after < 0.7 { // a guess is right one time in six
		t.Errorf("a share of %.2f was told right before, %.2f after, want 0.7", before, after)
	}
}

func accuracy(t *testing.T, m *method.RoBERTa, b method.Texts) float64 {
	t.Helper()
	losses, err := m.Loss(b)
	if err != nil {
		t.Fatal(err)
	}
	return losses[1].Value
}
