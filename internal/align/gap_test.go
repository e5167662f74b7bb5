package align_test

import (
	"math"
	"testing"

	"github.com/cutline-go/cutline/internal/align"
)

// TestGap compares with all products, one by one.
func TestGap(t *testing.T) {
	w := newWorld(40, spreads(), 0.3, 1)
	of := make([]int, len(w.texts))
	for j := range of {
		of[j] = j / 2
	}
	w.photos = w.photos[:20]
	got, err := align.NewGap(w.photos, w.texts, of)
	if err != nil {
		t.Fatal(err)
	}
	photos, texts := align.Units(w.photos), align.Units(w.texts)
	var within, between, across, matched []float64
	for i := range photos {
		for j := range photos {
			if i != j {
				within = append(within, dot(photos[i], photos[j]))
			}
		}
	}
	for i := range texts {
		for j := range texts {
			if i != j {
				between = append(between, dot(texts[i], texts[j]))
			}
		}
	}
	for i := range photos {
		for j := range texts {
			if of[j] == i {
				matched = append(matched, dot(photos[i], texts[j]))
			} else {
				across = append(across, dot(photos[i], texts[j]))
			}
		}
	}
	for name, c := range map[string]struct {
		got  align.Spread
		want []float64
	}{
		"photos": {got.Photos, within}, "texts": {got.Texts, between}, "across": {got.Across, across}, "matched": {got.Matched, matched},
	} {
		want := spreadOf(c.want)
		if math.Abs(c.got.Mean-want.Mean) > 1e-6 || math.Abs(c.got.SD-want.SD) > 1e-5 {
			t.Errorf("%s: %+v, want %+v", name, c.got, want)
		}
	}
	a, b := centre(t, photos), centre(t, texts)
	if want := math.Sqrt(distance(a, b)); math.Abs(got.Distance-want) > 1e-6 {
		t.Errorf("the centroids are %g apart, want %g", got.Distance, want)
	}
	if want := math.Sqrt(dot(a, a)); math.Abs(got.Photo-want) > 1e-6 {
		t.Errorf("the photos' mean has length %g, want %g", got.Photo, want)
	}
	if _, err := align.NewGap(w.photos, w.texts, of[:3]); err == nil {
		t.Error("texts of no photo are taken")
	}
}

func spreadOf(values []float64) align.Spread {
	var sum, squares float64
	for _, v := range values {
		sum, squares = sum+v, squares+v*v
	}
	n := float64(len(values))
	return align.Spread{Mean: sum / n, SD: math.Sqrt(squares/n - sum*sum/n/n)}
}
