package method_test

import (
	"math"
	"slices"
	"testing"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/method"
)

// tinyWords has tokens that all photos have in common, some have, and none has.
func tinyWords() *method.Classification {
	w := &method.Classification{Weight: 2, Scarcity: make([]float32, 20)}
	for i := range w.Scarcity {
		w.Scarcity[i] = float32(i%5) - 0.5
	}
	return w
}

func newWordsCLIP(t *testing.T) (*method.CLIP, func() map[string][]float32) {
	t.Helper()
	store := drawn()
	m, err := method.NewCLIP(golden.Engine(t), store, tinyCLIP(), nil, tinyWords(), still())
	if err != nil {
		t.Fatal(err)
	}
	return m, func() map[string][]float32 { return exported(t, store) }
}

// said are tokens of tinyPhotos: agreed on by two and by three, by nobody, and not scarce.
func said() [][]int32 {
	return [][]int32{{1, 2, 18, 2, 18, 18, 7}, {4, 9, 4, 9, 9}, {3, 8}, {0, 5, 0, 5}}
}

// TestCLIPWords holds equations (4) and (5) against their formulas, on embeddings that the
// encoder gives.
func TestCLIPWords(t *testing.T) {
	batch := tinyPhotos()
	batch.Words = said()
	m, weights := newWordsCLIP(t)
	got, err := m.Loss(batch)
	if err != nil {
		t.Fatal(err)
	}
	beside := drawn()
	encoder, err := clip.NewEncoder(golden.Engine(t), beside, tinyCLIP())
	if err != nil {
		t.Fatal(err)
	}
	embeddings, err := encoder.Image(t.Context(), batch.Pixels)
	if err != nil {
		t.Fatal(err)
	}
	contrastive, err := newTinyCLIP(t, drawn(), nil, still()).Loss(batch)
	if err != nil {
		t.Fatal(err)
	}
	layer := weights()
	want := 0.0
	for i, tokens := range batch.Words {
		want += classified(embeddings[i], layer["words.weight"], layer["words.bias"], tinyWords().Scarcity, tokens) / float64(len(batch.Words))
	}
	total := contrastive[0].Value + 2*want
	for i, value := range []float64{total, contrastive[0].Value, want} {
		if math.Abs(got[i].Value-value) > 1e-5*math.Abs(value) {
			t.Errorf("%s is %g, want %g", got[i].Name, got[i].Value, value)
		}
	}
}

// classified is the cross-entropy of one photo as equation (5) reads.
func classified(embedding, weight, bias, scarcity []float32, tokens []int32) float64 {
	length := 0.0
	for _, v := range embedding {
		length += float64(v) * float64(v)
	}
	logits, sum := make([]float64, len(bias)), 0.0
	for v := range logits {
		logits[v] = float64(bias[v])
		for j, x := range embedding {
			logits[v] += 16 * float64(x) / math.Sqrt(length) * float64(weight[v*len(embedding)+j])
		}
		sum += math.Exp(logits[v])
	}
	times := make(map[int32]float64)
	for _, v := range tokens {
		times[v]++
	}
	loss, total := 0.0, 0.0
	for v, n := range times {
		agreed := (n - 1) * math.Max(float64(scarcity[v]), 0)
		total += agreed
		loss += agreed * (math.Log(sum) - logits[v])
	}
	if total == 0 {
		return 0 // nothing scarce is said of it
	}
	return loss / total
}

// TestCLIPMixes holds that mixed photos are told as what they are mixed of: with all of each
// photo given away, the loss is that of the batch with its photos in the opposite order.
func TestCLIPMixes(t *testing.T) {
	batch := tinyPhotos()
	batch.Words, batch.Mix = said(), 1
	m, _ := newWordsCLIP(t)
	got, err := m.Loss(batch)
	if err != nil {
		t.Fatal(err)
	}
	batch.Mix = 0
	want, err := m.Loss(batch)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if math.Abs(got[i].Value-want[i].Value) > 1e-5*math.Abs(want[i].Value) {
			t.Errorf("%s is %g, want %g", got[i].Name, got[i].Value, want[i].Value)
		}
	}
	// Half of each is neither.
	batch.Mix = 0.5
	half, err := m.Loss(batch)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(half[1].Value-want[1].Value) < 1e-4 || math.Abs(half[2].Value-want[2].Value) < 1e-4 {
		t.Errorf("halves have the losses of wholes: %v, %v", half, want)
	}
}

// TestCLIPWordsMoves holds that the layer learns along, and that a token outside of the
// vocabulary is an error.
func TestCLIPWordsMoves(t *testing.T) {
	batch := tinyPhotos()
	batch.Words = said()
	store := drawn()
	m, err := method.NewCLIP(golden.Engine(t), store, tinyCLIP(), nil, tinyWords(), still())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Loss(batch); err != nil { // draws the variables
		t.Fatal(err)
	}
	got := moved(t, store, func() {
		if _, err := m.Step(t.Context(), 1, batch); err != nil {
			t.Fatal(err)
		}
	})
	if want := []string{clip.Scope, method.WordsScope}; !slices.Equal(got, want) {
		t.Errorf("moved %v, want %v", got, want)
	}
	batch.Words[1][0] = 20
	if _, err := m.Loss(batch); err == nil {
		t.Error("token 20 of 20 is no error")
	}
}
