package method_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/train"
)

// toy is a world of 64 scenes, each somebody doing something somewhere. A caption
// names the three and ends; its embedding is the sum of a vector for each word, as
// sets of words lie in a space that a contrastive loss made. A photo's embedding is
// that of its scene, turned and moved: the gap between the modalities.
type toy struct {
	words    [][]float64 // what each token means
	captions [][]int
	texts    [][]float32 // of one caption a scene
	others   [][]float32 // of another caption of the scene
	photos   [][]float32
}

const (
	toyWidth = 16
	toyWords = 4 // for each of the three places in a caption
	toyStop  = 1
	toyVocab = 2 + 3*toyWords // id 0 is the padding
)

// newToy plants a turn by an angle in each plane of two coordinates, and an offset of
// a length.
func newToy(angle, offset float64) toy {
	rng := rand.New(rand.NewPCG(4, 2))
	words := make([][]float64, toyVocab)
	for i := range words {
		words[i] = gaussian(rng)
	}
	gap := gaussian(rng)
	w := toy{words: words}
	for scene := range toyWords * toyWords * toyWords {
		ids := []int{2 + scene%toyWords, 2 + toyWords + scene/toyWords%toyWords, 2 + 2*toyWords + scene/toyWords/toyWords, toyStop}
		meaning := make([]float64, toyWidth)
		for _, id := range ids[:3] {
			add(meaning, words[id], 1)
		}
		w.captions = append(w.captions, ids)
		w.texts = append(w.texts, view(rng, meaning))
		w.others = append(w.others, view(rng, meaning))
		seen := turn(meaning, angle)
		add(seen, gap, offset*norm(meaning)/norm(gap))
		w.photos = append(w.photos, view(rng, seen))
	}
	return w
}

// embed is the world's text tower: the direction of the sum of the words, of which an
// end is none.
func (w toy) embed(text []int) []float32 {
	meaning := make([]float64, toyWidth)
	for _, id := range text {
		if id != toyStop && id < toyVocab {
			add(meaning, w.words[id], 1)
		}
	}
	out := make([]float32, toyWidth)
	for j, v := range meaning {
		out[j] = float32(v / norm(meaning))
	}
	return out
}

func gaussian(rng *rand.Rand) []float64 {
	out := make([]float64, toyWidth)
	for j := range out {
		out[j] = rng.NormFloat64()
	}
	return out
}

func add(x, y []float64, scale float64) {
	for j := range x {
		x[j] += scale * y[j]
	}
}

func norm(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum)
}

func turn(x []float64, angle float64) []float64 {
	out, sin, cos := make([]float64, len(x)), math.Sin(angle), math.Cos(angle)
	for j := 0; j < len(x); j += 2 {
		out[j], out[j+1] = cos*x[j]-sin*x[j+1], sin*x[j]+cos*x[j+1]
	}
	return out
}

// view is a meaning as one caption or photo has it: a little off, and of length 1.
func view(rng *rand.Rand, meaning []float64) []float32 {
	seen := slices.Clone(meaning)
	add(seen, gaussian(rng), 0.02*norm(meaning)/math.Sqrt(toyWidth))
	out := make([]float32, toyWidth)
	for j := range out {
		out[j] = float32(seen[j] / norm(seen))
	}
	return out
}

// isHeldOut tells the scenes that nothing is trained on: a quarter, in which all words
// come that the others have as well.
func isHeldOut(scene int) bool {
	return (scene+scene/toyWords+scene/toyWords/toyWords)%toyWords == 0
}

// split returns the rows of the scenes to train on, or of the others.
func split[R any](rows []R, heldOut bool) []R {
	var out []R
	for i, row := range rows {
		if isHeldOut(i) == heldOut {
			out = append(out, row)
		}
	}
	return out
}

func toyNetwork() clipcap.Config {
	return clipcap.Config{
		Mapper:    mapper.Config{Kind: mapper.KindMLP, ClipWidth: toyWidth, PrefixLength: 3, Width: 32},
		GPT:       gpt2.Config{VocabSize: toyVocab, Positions: 12, Width: 32, Layers: 1, Heads: 2, Epsilon: 1e-5},
		Normalize: true,
	}
}

func toyOptimizer(updates int) train.Optimizer {
	return train.Optimizer{
		AdamW:    train.PaperAdamW(),
		Schedule: train.Schedule{LearningRate: 1e-2, Decay: train.Cosine},
		Updates:  updates,
		ClipNorm: 1,
	}
}

// right is the share of held-out scenes that are captioned as they should be from
// their embeddings.
func (w toy) right(t *testing.T, engine compute.Backend, store *model.Store, network clipcap.Config, embeddings [][]float32) float64 {
	t.Helper()
	right := 0
	said := pupil{engine, store, network}.says(t, split(embeddings, true))
	for i, caption := range split(w.captions, true) {
		if slices.Equal(said[i], caption) {
			right++
		}
	}
	return float64(right) / float64(len(said))
}

// pupil is a captioner of the toy world.
type pupil struct {
	engine  compute.Backend
	store   *model.Store
	network clipcap.Config
}

// says is the greedy captions of embeddings.
func (p pupil) says(t *testing.T, embeddings [][]float32) [][]int {
	t.Helper()
	generator, err := clipcap.NewGenerator(p.engine, p.store, p.network)
	if err != nil {
		t.Fatal(err)
	}
	session, err := generator.Start(embeddings, 6)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	options := decode.PaperGreedy()
	options.MaxLength, options.StopTokens = 6, []int{toyStop}
	found, err := decode.Search(context.Background(), session, options)
	if err != nil {
		t.Fatal(err)
	}
	captions := make([][]int, len(found))
	for i, hypotheses := range found {
		captions[i] = hypotheses[0].Tokens
	}
	return captions
}

// expect holds the share of captions that are right within bounds.
func (p pupil) expect(t *testing.T, what string, w toy, embeddings [][]float32, low, high float64) {
	t.Helper()
	got := w.right(t, p.engine, p.store, p.network, embeddings)
	if got < low || got > high {
		t.Errorf("%s: %.3f of the held-out scenes are captioned right, want %.2f to %.2f", what, got, low, high)
	}
}

// shifted moves the photos by the centres of the scenes that were trained on.
func (w toy) shifted(t *testing.T) [][]float32 {
	t.Helper()
	from, err := align.Centre(slices.Values(split(w.photos, false)))
	if err != nil {
		t.Fatal(err)
	}
	to, err := align.Centre(slices.Values(split(w.texts, false)))
	if err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, photo := range w.photos {
		out = append(out, align.MeanShift(photo, from, to))
	}
	return out
}

// rotated turns the photos by the axes of the scenes that were trained on.
func (w toy) rotated(t *testing.T, signs align.Signs) [][]float32 {
	t.Helper()
	r, err := align.NewRotation(split(w.photos, false), split(w.texts, false), signs)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, photo := range w.photos {
		out = append(out, r.Rotate(photo))
	}
	return out
}
