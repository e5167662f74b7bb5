package align_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/cutline-go/cutline/internal/align"
)

// TestSinkhornNearsTheExactPlan as reg comes down, for few points and many, of length 1
// and as a CLIP gives them, which are ten times as far apart: the marginals hold, and the
// cost lies above the least one by no more than reg·log N, all that entropy can gain.
func TestSinkhornNearsTheExactPlan(t *testing.T) {
	for _, count := range []int{2, 4, 8, 20, 100} {
		for _, reg := range []float64{1, 0.1, 0.02, 1e-3, 1e-5} {
			for name, w := range map[string]world{"unit": unitWorld(count), "raw": rawWorld(count)} {
				t.Run(fmt.Sprintf("%d %s points, reg %g", count, name, reg), func(t *testing.T) { w.nears(t, reg) })
			}
		}
	}
	w := rawWorld(20)
	world{w.photos[:13], w.texts}.nears(t, 1e-3)
	world{w.photos, w.texts[:13]}.nears(t, 1e-3)
}

// rawWorld is apart by more than the texts are among themselves, so that many photos
// are nearest to the same texts, as in a CLIP.
func rawWorld(count int) world {
	w := newWorld(count, equalSpreads(), 0.7, 5)
	for _, rows := range [][][]float32{w.photos, w.texts} {
		for _, row := range rows {
			for k := range row {
				row[k] *= 3
			}
		}
	}
	return w
}

func unitWorld(count int) world {
	w := newWorld(count, equalSpreads(), 0.7, 2)
	return world{align.Units(w.photos), align.Units(w.texts)}
}

func (w world) nears(t *testing.T, reg float64) {
	t.Helper()
	plan, err := align.NewSinkhorn(w.photos, w.texts, reg)
	if err != nil {
		t.Fatal(err)
	}
	marginals(t, "Sinkhorn", plan, len(w.photos), len(w.texts))
	cost, err := align.Cost(w.photos, w.texts)
	if err != nil {
		t.Fatal(err)
	}
	exact := w.exact(t).Total()
	_, total := planned(plan, cost)
	if most := reg * math.Log(float64(min(len(w.photos), len(w.texts)))); total < exact-1e-8*exact || total > exact+most+1e-8*exact {
		t.Errorf("cost %.12g, want %.12g to %.3g more", total, exact, most)
	}
}

// TestSinkhornOfTwo has a closed form: T_11/T_12 = exp((C_12 + C_21 − C_11 − C_22)/(2·reg)).
// Both photos are nearest to the same text, by hundreds of reg, and only one can have it:
// what scaling alone hands over shrinks with every step, and it would take millions.
func TestSinkhornOfTwo(t *testing.T) {
	const reg = 0.01
	photos, texts := [][]float32{{0, 0}, {0, 1}}, [][]float32{{1, 0}, {5, 0}}
	plan, err := align.NewSinkhorn(photos, texts, reg)
	if err != nil {
		t.Fatal(err)
	}
	odds := math.Exp((5 + math.Sqrt2 - 1 - math.Sqrt(26)) / (2 * reg))
	for i := range photos {
		for j, mass := range plan.Row(i) {
			want := 0.5 * odds / (1 + odds)
			if i != j {
				want = 0.5 / (1 + odds)
			}
			if math.Abs(mass-want) > 1e-9 {
				t.Errorf("photo %d sends %g to text %d, want %g", i, mass, j, want)
			}
		}
	}
}
