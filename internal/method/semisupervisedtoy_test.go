package method_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/nn"
	"github.com/cutline-go/cutline/internal/train"
)

// The text tower of the toy world knows its words and two markers.
const (
	toyStart = toyVocab
	toyEnd   = toyVocab + 1
)

func toyCLIP() clip.Config {
	return clip.Config{
		EmbedDim: toyWidth, Activation: clip.GELU,
		Text: clip.Text{ContextLength: 8, VocabSize: toyVocab + 2, Width: 32, Layers: 1, Heads: 2},
	}
}

// learnTower teaches a text tower in store what the world's texts mean, in any order of
// up to five words.
func (w toy) learnTower(t *testing.T, engine compute.Backend, store *model.Store) {
	t.Helper()
	const updates, rows, length = 400, 64, 8
	u, err := train.NewUpdater(engine, store, toyOptimizer(updates), []string{clip.Scope}, func(root *model.Scope, in []*Node) (*Node, []train.Part) {
		read := nn.Unit(toyCLIP().EncodeText(root.At(clip.Scope), in[0]))
		return OneMinus(ReduceAllMean(ReduceSum(Mul(read, in[1]), -1))), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 1))
	for update := range updates {
		var ids []int32
		var meanings []float32
		for range rows {
			text := []int{2 + rng.IntN(toyVocab-2)}
			for len(text) < 5 && rng.IntN(4) > 0 {
				text = append(text, 2+rng.IntN(toyVocab-2))
			}
			text = append(text, toyStop)
			row := make([]int32, length)
			row[0], row[len(text)+1] = toyStart, toyEnd
			for i, id := range text {
				row[i+1] = int32(id)
			}
			ids, meanings = append(ids, row...), append(meanings, w.embed(text)...)
		}
		losses, err := u.Step(update, tensors.FromFlatDataAndDimensions(ids, rows, length), tensors.FromFlatDataAndDimensions(meanings, rows, toyWidth))
		if err != nil {
			t.Fatal(err)
		}
		if update == updates-1 && losses[0].Value > 0.02 {
			t.Fatalf("the text tower is off by %g", losses[0].Value)
		}
	}
}

// judged is what the world thinks of captions of held-out photos: their cosine with the
// photo, and how many of them differ.
func (p pupil) judged(t *testing.T, w toy) (similarity, distinct float64) {
	t.Helper()
	photos := split(w.photos, true)
	said := make(map[string]bool)
	for i, tokens := range p.says(t, photos) {
		said[fmt.Sprint(tokens)] = true
		for j, v := range w.embed(tokens) {
			similarity += float64(v) * float64(photos[i][j]) / float64(len(photos))
		}
	}
	return similarity, float64(len(said)) / float64(len(photos))
}

// TestSemiSupervisedToy: a captioner that saw captions of 12 scenes is right on few
// others. The text tower's judgement of what it says of photos without captions brings
// its captions of held-out photos nearer to them, as the world itself measures it, which
// is not what rewarded it; and most of them still differ, which is the measure of a
// collapse.
func TestSemiSupervisedToy(t *testing.T) {
	const supervised, unlabelled = 30, 100
	w := newToy(0, 0.3)
	p := pupil{golden.Engine(t), seeded(), toyNetwork()}
	w.learnTower(t, p.engine, p.store)
	// The bridge of a vocabulary to itself and two markers.
	table, err := tableOf(p.store)
	if err != nil {
		t.Fatal(err)
	}
	o := toyOptimizer(supervised + unlabelled)
	o.Schedule = train.Schedule{LearningRate: 1e-2, Decay: train.Linear}
	m, err := method.NewSemiSupervised(p.engine, p.store, p.network, method.SemiSupervisedConfig{
		Optimizer: o, MaxTokens: 8, Stages: method.Stages{Supervised: supervised, Unlabelled: unlabelled}, UnlabelledRate: 0.5,
		Bridge: method.BridgeTokens, StraightThrough: true, Samples: 1, Length: 5, TauFrom: 1, TauTo: 0.5, Anchor: 0.2,
	}, method.Reader{CLIP: toyCLIP(), Table: table[:toyVocab*32], Start: toyStart, End: toyEnd, Stop: []int{toyStop}})
	if err != nil {
		t.Fatal(err)
	}
	photos := split(w.photos, false)
	batch := method.PartlyLabelled{Pairs: method.Pairs{Embeddings: photos[:12], Captions: split(w.captions, false)[:12]}, Photos: photos}
	before := 0.0
	for update := range supervised + unlabelled {
		if update == supervised {
			before, _ = p.judged(t, w)
		}
		if _, err := m.Step(context.Background(), update, batch); err != nil {
			t.Fatal(err)
		}
	}
	after, distinct := p.judged(t, w)
	if after < before+0.1 || distinct < 0.7 {
		t.Errorf("stage 2 takes the similarity from %.3f to %.3f, and %.3f of the captions differ", before, after, distinct)
	}
}

// tableOf is the text tower's table of tokens.
func tableOf(store *model.Store) ([]float32, error) {
	value, err := store.GetVariable("/" + clip.Scope + "/token_embedding/weight").Value()
	if err != nil {
		return nil, err
	}
	return tensors.CopyFlatData[float32](value)
}
