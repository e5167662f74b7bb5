package align_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/align"
)

// world is a set of texts and the photos that they are of: the texts, turned and
// moved. What undoes the planting finds each photo's text again.
type world struct{ photos, texts [][]float32 }

const worldWidth = 6

// newWorld draws texts whose k-th coordinate has the spread spread[k] and a long tail
// on one side, and plants a turn (in the plane of each two coordinates) and an offset.
func newWorld(count int, spread []float64, angle, offset float64) world {
	rng := rand.New(rand.NewPCG(1, 2))
	var w world
	for range count {
		text, photo := make([]float32, len(spread)), make([]float32, len(spread))
		for k, s := range spread {
			text[k] = float32(s * (rng.ExpFloat64() - 1)) // skewed, of mean 0
		}
		sin, cos := math.Sincos(angle)
		for k := 0; k+1 < len(spread); k += 2 {
			x, y := float64(text[k]), float64(text[k+1])
			photo[k], photo[k+1] = float32(cos*x-sin*y+offset), float32(sin*x+cos*y-offset)
		}
		w.texts, w.photos = append(w.texts, text), append(w.photos, photo)
	}
	return w
}

// spreads are spreads[k] = 1, 0.7, 0.49, …: axes that can be told apart.
func spreads() []float64 {
	out := make([]float64, worldWidth)
	for k := range out {
		out[k] = math.Pow(0.7, float64(k))
	}
	return out
}

func equalSpreads() []float64 { return []float64{1, 1, 1, 1, 1, 1} }

// found is the share of photos whose nearest text is their own.
func (w world) found(aligned [][]float32) float64 {
	own := 0
	for i, photo := range aligned {
		best := 0
		for j := range w.texts {
			if distance(photo, w.texts[j]) < distance(photo, w.texts[best]) {
				best = j
			}
		}
		if best == i {
			own++
		}
	}
	return float64(own) / float64(len(aligned))
}

func distance(a, b []float32) float64 {
	sum := 0.0
	for k := range a {
		sum += math.Pow(float64(a[k]-b[k]), 2)
	}
	return sum
}

func (w world) meanShifted(t *testing.T) [][]float32 {
	from, to := centre(t, w.photos), centre(t, w.texts)
	var out [][]float32
	for _, photo := range w.photos {
		out = append(out, align.MeanShift(photo, from, to))
	}
	return out
}

func (w world) rotated(t *testing.T, signs align.Signs) [][]float32 {
	r, err := align.NewRotation(w.photos, w.texts, signs)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, photo := range w.photos {
		out = append(out, r.Rotate(photo))
	}
	return out
}

// halved is a world and the rotation from one half's photos and the other's texts.
type halved struct {
	world
	photos, texts [][]float32
}

func halves(w world) halved {
	middle := len(w.texts) / 2
	return halved{w, w.photos[:middle], w.texts[middle:]}
}

func (h halved) expect(t *testing.T, what string, low, high float64) {
	t.Helper()
	r, err := align.NewRotation(h.photos, h.texts, align.BySkewness)
	if err != nil {
		t.Fatal(err)
	}
	var aligned [][]float32
	for _, photo := range h.photos {
		aligned = append(aligned, r.Rotate(photo))
	}
	h.world.expect(t, what, aligned, low, high)
}

func (w world) exact(t *testing.T) *align.Exact {
	plan, err := align.NewExact(w.photos, w.texts)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func (w world) expect(t *testing.T, what string, aligned [][]float32, low, high float64) {
	t.Helper()
	if got := w.found(aligned); got < low || got > high {
		t.Errorf("%s: %.2f of the photos find their text, want %.2f to %.2f", what, got, low, high)
	}
}

// TestMeanShiftUndoesAnOffset, and nothing but that.
func TestMeanShiftUndoesAnOffset(t *testing.T) {
	moved := newWorld(200, spreads(), 0, 3)
	moved.expect(t, "an offset, as it is", moved.photos, 0, 0.1)
	moved.expect(t, "an offset, shifted", moved.meanShifted(t), 1, 1)
	turned := newWorld(200, spreads(), 1, 3)
	turned.expect(t, "a turn, shifted", turned.meanShifted(t), 0, 0.3)
}

// TestRotationUndoesATurn where axes have a variance each and signs are fixed. With
// the signs that a decomposition happens to give, or axes of one variance, it cannot:
// the paper's result of 15.8 for 40.8.
func TestRotationUndoesATurn(t *testing.T) {
	w := newWorld(200, spreads(), 1, 3)
	w.expect(t, "signs by skewness", w.rotated(t, align.BySkewness), 1, 1)
	w.expect(t, "signs by pairs", w.rotated(t, align.ByPairs), 1, 1)
	// The rest without pairs: axes from one half's photos and the other half's texts.
	halves(newWorld(1000, spreads(), 1, 3)).expect(t, "unpaired", 0.7, 1)
	halves(newWorld(1000, equalSpreads(), 1, 3)).expect(t, "unpaired, equal variances", 0, 0.3)

	// The decomposition's own signs depend on its input in no way that could be right:
	// over a few turns, they are wrong for most.
	wrong := 0
	const turns = 8
	for k := range turns {
		w := newWorld(200, spreads(), float64(k)*2*math.Pi/turns+0.1, 3)
		w.expect(t, "signs by skewness", w.rotated(t, align.BySkewness), 1, 1)
		if w.found(w.rotated(t, align.AsDecomposed)) < 0.5 {
			wrong++
		}
	}
	if wrong < turns/2 {
		t.Errorf("signs as decomposed fail for %d of %d turns, want most", wrong, turns)
	}
}

// TestTransportUndoesASmallMove: each photo goes to its text where the move is small
// beside the texts' distances, and an offset of any size changes no plan under squared
// distances, but does under distances, which the paper takes. A turn defeats it, and
// the literal product always does.
func TestTransportUndoesASmallMove(t *testing.T) {
	near := newWorld(60, equalSpreads(), 0, 0.1)
	plan := near.exact(t)
	near.expect(t, "a small move, barycentric", align.Barycentric(plan, near.photos, near.texts), 1, 1)
	literal, err := align.Literal(plan, near.photos, near.texts)
	if err != nil {
		t.Fatal(err)
	}
	near.expect(t, "a small move, literal", literal, 0, 0.1)
	turned := newWorld(60, equalSpreads(), 2, 0)
	turned.expect(t, "a turn, barycentric", align.Barycentric(turned.exact(t), turned.photos, turned.texts), 0, 0.5)
}

// TestExactIsOptimal compares with all assignments of a few, and checks the marginals
// for unequal numbers against Sinkhorn's cost, which no plan's entropy can undercut.
func TestExactIsOptimal(t *testing.T) {
	w := newWorld(7, spreads(), 1, 0.2)
	cost, err := align.Cost(w.photos, w.texts)
	if err != nil {
		t.Fatal(err)
	}
	best := math.Inf(1)
	permute(len(cost), func(order []int) {
		total := 0.0
		for i, j := range order {
			total += cost[i][j] / float64(len(cost))
		}
		best = min(best, total)
	})
	if got := w.exact(t).Total(); math.Abs(got-best) > 1e-9 {
		t.Errorf("cost %g, the best assignment has %g", got, best)
	}

	w = newWorld(30, spreads(), 1, 0.2)
	w.photos = w.photos[:18]
	exact := w.exact(t)
	marginals(t, "exact", exact, 18, 30)
	sinkhorn, err := align.NewSinkhorn(w.photos, w.texts, 0.02)
	if err != nil {
		t.Fatal(err)
	}
	marginals(t, "Sinkhorn", sinkhorn, 18, 30)
	if cost, err = align.Cost(w.photos, w.texts); err != nil {
		t.Fatal(err)
	}
	if _, smoothed := planned(sinkhorn, cost); smoothed < exact.Total() || smoothed > exact.Total()*1.05 {
		t.Errorf("Sinkhorn's cost is %g, the exact one %g", smoothed, exact.Total())
	}
}

func permute(n int, visit func([]int)) {
	order := make([]int, 0, n)
	used := make([]bool, n)
	var extend func()
	extend = func() {
		if len(order) == n {
			visit(order)
			return
		}
		for j := range n {
			if !used[j] {
				used[j], order = true, append(order, j)
				extend()
				used[j], order = false, order[:len(order)-1]
			}
		}
	}
	extend()
}

// marginals checks that each photo gives 1/n and each text takes 1/m.
func marginals(t *testing.T, what string, p align.Plan, n, m int) {
	t.Helper()
	taken := make([]float64, m)
	for i := range n {
		given := 0.0
		for j, mass := range p.Row(i) {
			given, taken[j] = given+mass, taken[j]+mass
		}
		if math.Abs(given*float64(n)-1) > 1e-6 {
			t.Errorf("%s: photo %d gives %g of its mass", what, i, given*float64(n))
		}
	}
	for j, mass := range taken {
		if math.Abs(mass*float64(m)-1) > 1e-6 {
			t.Errorf("%s: text %d takes %g of its mass", what, j, mass*float64(m))
		}
	}
}

// TestAlignRefuses names what is wrong with a set.
func TestAlignRefuses(t *testing.T) {
	w := newWorld(4, spreads(), 0, 0)
	broken := [][]float32{{1, 2}, {float32(math.NaN()), 0}}
	for _, c := range []struct {
		name          string
		photos, texts [][]float32
		want          string
	}{
		{"no texts", w.photos, nil, "no texts"},
		{"NaN", broken, broken, "photos: embedding 1 has NaN at 0"},
		{"two widths", w.photos, [][]float32{{1, 2}}, "not of one CLIP"},
		{"ragged", [][]float32{{1, 2}, {1}}, w.texts, "embedding 1 has width 1"},
	} {
		for what, run := range map[string]func() error{
			"rotation":  func() error { _, err := align.NewRotation(c.photos, c.texts, align.BySkewness); return err },
			"transport": func() error { _, err := align.NewExact(c.photos, c.texts); return err },
			"Sinkhorn":  func() error { _, err := align.NewSinkhorn(c.photos, c.texts, 0.1); return err },
		} {
			if err := run(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %s: %v, want an error with %q", c.name, what, err, c.want)
			}
		}
	}
	if _, err := align.NewRotation(w.photos, w.texts[:3], align.ByPairs); err == nil {
		t.Error("unequal numbers are taken for pairs")
	}
	if _, err := align.NewRotation(w.photos, w.texts, "guessed"); err == nil {
		t.Error("signs of an unknown kind are taken")
	}
	if _, err := align.Literal(w.exact(t), w.photos[:3], w.texts); err == nil {
		t.Error("a plan that is not square multiplies photos")
	}
}
