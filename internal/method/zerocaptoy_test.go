package method_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/zerocap"
)

// TestZeroCapToy: a language model that learned the toy world's captions and nothing of
// its photos writes of a photo what the world finds like it. Without a step of the
// gradient it says the same of all photos.
func TestZeroCapToy(t *testing.T) {
	const updates, prompt = 200, toyVocab
	w := newToy(0, 0.3)
	engine, store, network := golden.Engine(t), seeded(), toyNetwork().GPT
	network.VocabSize++ // and a word that all captions begin with
	m, err := method.NewLanguageModel(engine, store, network, toyOptimizer(updates), toyStop, 8)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 4))
	for update := range updates {
		var batch method.Texts
		for range 32 {
			batch.Sentences = append(batch.Sentences, append([]int{prompt}, w.captions[rng.IntN(len(w.captions))]...))
		}
		if _, err := m.Step(context.Background(), update, batch); err != nil {
			t.Fatal(err)
		}
	}
	photos := split(w.photos, true)
	write := func(steps int) (similarity, distinct float64) {
		c := zerocap.Paper()
		c.Steps, c.Candidates, c.StepSize, c.KL = steps, 8, 2, 1 // one layer has little to shift
		writer, err := zerocap.NewWriter(engine, store, network, c)
		if err != nil {
			t.Fatal(err)
		}
		session, err := writer.Start(len(photos), []int{toyStop, prompt}, []int{toyStop}, 5, func(_ context.Context, i int, texts [][]int) ([]float64, error) {
			out := make([]float64, len(texts))
			for j, text := range texts {
				if !slices.ContainsFunc(text, func(id int) bool { return id > toyStop && id < prompt }) {
					continue // it says nothing
				}
				for k, v := range w.embed(text) {
					out[j] += float64(v) * float64(photos[i][k])
				}
			}
			return out, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		found, err := decode.Search(context.Background(), session, decode.Options{Strategy: decode.Beam, Beams: 3, NBest: 1, MaxLength: 5, StopTokens: []int{toyStop}})
		if err != nil {
			t.Fatal(err)
		}
		said := make(map[string]bool)
		for i, hypotheses := range found {
			said[fmt.Sprint(hypotheses[0].Tokens)] = true
			for k, v := range w.embed(hypotheses[0].Tokens) {
				similarity += float64(v) * float64(photos[i][k]) / float64(len(photos))
			}
		}
		return similarity, float64(len(said)) / float64(len(photos))
	}
	plain, same := write(0)
	guided, distinct := write(10)
	if same*float64(len(photos)) != 1 || distinct < 0.6 || guided < plain+0.2 {
		t.Errorf("without the gradient captions have the similarity %.3f and %.3f of them differ, with it %.3f and %.3f", plain, same, guided, distinct)
	}
}
