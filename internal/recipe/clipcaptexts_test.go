package recipe_test

import (
	"bytes"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/recipe"
)

// TestMoverMakesMeansEqual: texts of any length move from their mean to the photos'.
func TestMoverMakesMeansEqual(t *testing.T) {
	embeddings := func(rows ...[]float32) *dataset.Embeddings {
		e, err := dataset.NewEmbeddings(rows)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	texts, photos := embeddings([]float32{3, 0}, []float32{0, 5}), embeddings([]float32{-2, 0}, []float32{0, -7}, []float32{-1, 0})
	move, err := recipe.Mover(texts, photos)
	if err != nil {
		t.Fatal(err)
	}
	// The texts' mean direction is (1/2, 1/2), the photos' (-2/3, -1/3).
	for i, want := range [][2]float64{{1 - 7.0/6, -5.0 / 6}, {-7.0 / 6, 1 - 5.0/6}} {
		for j, v := range move(texts.Row(i)) {
			if math.Abs(float64(v)-want[j]) > 1e-6 {
				t.Errorf("text %d goes to %v, want %v", i, move(texts.Row(i)), want)
				break
			}
		}
	}
}

// TestClipCapLearnsFromTexts: with texts other weights come out than without, and photos
// and texts of different lengths are refused.
func TestClipCapLearnsFromTexts(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, dir)
	c.Normalize = true
	plain, told := filepath.Join(dir, "plain"), filepath.Join(dir, "told")
	if err := c.Train(t.Context(), testRun(t, plain, dir)); err != nil {
		t.Fatal(err)
	}
	c.Texts = true
	if err := c.Train(t.Context(), testRun(t, told, dir)); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(contents(t, plain, "model.safetensors"), contents(t, told, "model.safetensors")) {
		t.Error("texts changed nothing")
	}
	c.Normalize = false
	if err := c.Train(t.Context(), testRun(t, filepath.Join(dir, "refused"), dir)); err == nil || !strings.Contains(err.Error(), "normalize is off") {
		t.Errorf("error is %v", err)
	}
}
