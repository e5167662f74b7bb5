package recipe

import (
	"path/filepath"
	"testing"

	"github.com/cutline-go/cutline/internal/engine"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
)

// TestTextsAreEmbedded holds the embeddings of texts, which are long enough to fill
// two chunks of a cache, against those of each alone.
func TestTextsAreEmbedded(t *testing.T) {
	e, err := engine.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Finalize()
	folder, err := modelfolder.Open(filepath.Join("..", "..", "models", "tiny"))
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	computed := 0
	m, err := newEmbedder(Run{Engine: e, Cache: t.TempDir(), Report: func(train.Progress) { computed++ }}, folder)
	if err != nil {
		t.Fatal(err)
	}
	texts := make([]string, 300)
	for i := range texts {
		texts[i] = []string{"a dog", "two dogs", "a red car"}[i%3]
	}
	for range 2 { // the second time from the cache
		rows, err := m.texts(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		for i := range texts {
			if cos := dot(rows.Row(i), rows.Row(i%3)) / dot(rows.Row(i%3), rows.Row(i%3)); cos < 0.9999 || cos > 1.0001 {
				t.Errorf("row %d is not that of %q: %g", i, texts[i], cos)
			}
		}
		if same := dot(rows.Row(0), rows.Row(2)) / dot(rows.Row(0), rows.Row(0)); same > 0.999 {
			t.Error("different texts have one embedding")
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}
	if computed != 2 {
		t.Errorf("%d chunks were computed, want 2", computed)
	}
}

func dot(a, b []float32) float64 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
