package recipe_test

import (
	"image/color"
	"path/filepath"
	"testing"

	"github.com/cutline-go/cutline/internal/recipe"
	"github.com/cutline-go/cutline/internal/train"
)

// TestEmbeddingsAreReused holds that recipes with the same photos and CLIP share
// embeddings, and that other photos, views or weights do not go unnoticed.
func TestEmbeddingsAreReused(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, dir)
	c.Method.Optimizer.Updates = 1
	runs := 0
	embedded := func(change func(c *recipe.ClipCap)) bool {
		t.Helper()
		c := c
		change(&c)
		runs++
		run := testRun(t, filepath.Join(dir, "out", string(rune('a'+runs))), dir)
		var done bool
		run.Report = func(p train.Progress) { done = done || p.Stage == "embedding photos" }
		if err := c.Train(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		return done
	}
	nothing := func(*recipe.ClipCap) {}
	if !embedded(nothing) {
		t.Error("the first run embedded nothing")
	}
	if embedded(func(c *recipe.ClipCap) { c.Normalize, c.Batch = true, 2 }) {
		t.Error("another recipe with the same photos embedded them again")
	}
	if !embedded(func(c *recipe.ClipCap) { c.Views = 1 }) {
		t.Error("fewer views were taken from the cache")
	}
	if embedded(func(c *recipe.ClipCap) { c.Views, c.Seed = 1, 4 }) {
		t.Error("a seed that varies nothing was a reason to embed again")
	}
	if !embedded(func(c *recipe.ClipCap) { c.Seed = 4 }) {
		t.Error("other variations were taken from the cache")
	}
	writePNG(t, filepath.Join(c.Data.Photos, "2.png"), color.RGBA{R: 9, A: 255}, 20)
	if !embedded(nothing) {
		t.Error("a photo was replaced, its old embedding was used")
	}
	other := smallCLIP(c.Data)
	other.Seed = 99
	if err := other.Train(t.Context(), testRun(t, filepath.Join(dir, "clip99"), dir)); err != nil {
		t.Fatal(err)
	}
	if !embedded(func(c *recipe.ClipCap) { c.CLIP = filepath.Join(dir, "clip99") }) {
		t.Error("embeddings of another CLIP were used")
	}
}
