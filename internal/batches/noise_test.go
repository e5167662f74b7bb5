package batches_test

import (
	"math"
	"slices"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/method"
)

// TestNoise: noise has its variance in lengths of the embedding, is a function of the
// update, and leaves what is stored alone.
func TestNoise(t *testing.T) {
	const width, length, variance = 4000, 50, 0.01
	row := make([]float32, width)
	row[0] = length
	embeddings, err := dataset.NewEmbeddings([][]float32{row})
	if err != nil {
		t.Fatal(err)
	}
	noise := method.Noise{Kind: method.Gaussian, Variance: variance}
	scene := func(update int, noise method.Noise) []float32 {
		s := batches.Scenes{Embeddings: embeddings, Views: 1, Noise: noise, Size: 1, Seed: 7}
		b, err := s.Batch(update)
		if err != nil {
			t.Fatal(err)
		}
		return b.Embeddings[0]
	}
	pair := func(update int) []float32 {
		p := batches.Pairs{
			Records: []dataset.Record{{Captions: []string{"a"}}}, Embeddings: embeddings, Views: 1, Noise: noise,
			Encode: func(string) []int { return []int{1} }, Size: 1, Seed: 7,
		}
		b, err := p.Batch(update)
		if err != nil {
			t.Fatal(err)
		}
		return b.Embeddings[0]
	}
	if !slices.Equal(scene(0, method.Noise{}), row) {
		t.Error("no noise changes the embedding")
	}
	for name, of := range map[string]func(int) []float32{
		"scenes": func(update int) []float32 { return scene(update, noise) }, "pairs": pair,
	} {
		first := of(0)
		square := 0.0
		for i, v := range first {
			square += math.Pow(float64(v-row[i]), 2)
		}
		// The mean of 4000 squares is within 0.1 of their variance at 4.5 standard errors.
		if got, want := square/width, variance*length*length; math.Abs(got/want-1) > 0.1 {
			t.Errorf("%s: variance %.2f, want %.2f", name, got, want)
		}
		if !slices.Equal(first, of(0)) {
			t.Errorf("%s: another noise at the same update", name)
		}
		if slices.Equal(first, of(1)) {
			t.Errorf("%s: the same noise at another update", name)
		}
	}
	if !slices.Equal(embeddings.Row(0)[1:], make([]float32, width-1)) {
		t.Error("the noise is in the stored embedding")
	}
}
