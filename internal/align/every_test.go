package align_test

import (
	"testing"

	"github.com/cutline-go/cutline/internal/align"
)

// TestEvery: each alignment moves all photos, of a few as of many, of embeddings of
// any length, and the same way for longer ones.
func TestEvery(t *testing.T) {
	for _, count := range []int{2, 4, 50} {
		long := rawWorld(count)
		aligned, err := align.Every(long.photos, long.photos, long.texts)
		if err != nil {
			t.Fatal(err)
		}
		if len(aligned) != 8 {
			t.Fatalf("%d alignments", len(aligned))
		}
		// Ten times as near, the Sinkhorn plan is the same: its reg comes along.
		near := rawWorld(count)
		for _, rows := range [][][]float32{near.photos, near.texts} {
			for _, row := range rows {
				for k := range row {
					row[k] /= 10
				}
			}
		}
		scaled, err := align.Every(near.photos, near.photos, near.texts)
		if err != nil {
			t.Fatal(err)
		}
		for k, a := range aligned {
			if len(a.Photos) != count || a.Name != scaled[k].Name {
				t.Fatalf("%q and %q, %d photos of %d", a.Name, scaled[k].Name, len(a.Photos), count)
			}
			if off := furthest(a.Photos, scaled[k].Photos, 10); a.Name != "rotation, signs by decomposed" && off > 1e-3 {
				t.Errorf("%d photos, %s: ten times as near they come out otherwise, by %g", count, a.Name, off)
			}
		}
	}
	same := [][]float32{{1, 0}, {1, 0}, {1, 0}}
	if _, err := align.Every(same, same, same); err != nil {
		t.Errorf("photos and texts in one point: %v", err)
	}
}

func furthest(a, b [][]float32, scale float32) float32 {
	var worst float32
	for i, row := range a {
		for k, v := range row {
			worst = max(worst, v-scale*b[i][k], scale*b[i][k]-v)
		}
	}
	return worst
}
