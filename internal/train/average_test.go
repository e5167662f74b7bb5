package train_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
)

// TestAverageIsOfTheWeights holds the average against the sum that defines it:
// Σᵢ dᵗ⁻ⁱ·pᵢ / Σᵢ dᵗ⁻ⁱ over the weights pᵢ after each of t updates.
func TestAverageIsOfTheWeights(t *testing.T) {
	const decay = 0.8
	o := optimizer()
	o.Average = decay
	store, method := newRegression(t, o)
	sums, total := make(map[string][]float64), 0.0
	for update := range 12 {
		b, _ := batch(update)
		if _, err := method.Step(context.Background(), update, b); err != nil {
			t.Fatal(err)
		}
		total = total*decay + 1
		for name, values := range learned(t, store) {
			if sums[name] == nil {
				sums[name] = make([]float64, len(values))
			}
			for i, v := range values {
				sums[name][i] = sums[name][i]*decay + float64(v)
			}
		}
	}
	before := learned(t, store)
	err := train.WithAverage(store, func() error {
		for name, values := range learned(t, store) {
			for i, v := range values {
				if want := sums[name][i] / total; math.Abs(float64(v)-want) > 1e-6 {
					t.Errorf("%s[%d] is averaged to %g, want %g", name, i, v, want)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range learned(t, store) {
		for i, v := range values {
			if v != before[name][i] {
				t.Errorf("%s[%d] was %g before it was averaged, and is %g after", name, i, before[name][i], v)
			}
		}
	}
}

// TestAccumulatedIsWhole holds an update in parts against one at once: the loss here
// is a mean over rows, so they are equal but for rounding.
func TestAccumulatedIsWhole(t *testing.T) {
	o := optimizer()
	whole, _ := finishWith(t, t.TempDir(), o)
	o.Accumulate = 2
	parts, _ := finishWith(t, t.TempDir(), o)
	for i, want := range whole {
		if parts[i].Name != want.Name {
			t.Fatalf("%s in the place of %s", parts[i].Name, want.Name)
		}
		a, b := floats(t, parts[i]), floats(t, want)
		for j := range b {
			if math.Abs(float64(a[j]-b[j])) > 2e-6 {
				t.Errorf("%s[%d] is %g in parts, %g at once", want.Name, j, a[j], b[j])
			}
		}
	}
	o.Accumulate = 3
	_, method := newRegression(t, o)
	b, _ := batch(0)
	if _, err := method.Step(context.Background(), 0, b); err == nil || !strings.Contains(err.Error(), "a batch of 4 cannot be accumulated in 3 equal parts") {
		t.Errorf("an uneven split gives %v", err)
	}
}

// TestAveragedRunResumes tells that averages are part of a checkpoint.
func TestAveragedRunResumes(t *testing.T) {
	o := optimizer()
	o.Average, o.Accumulate = 0.9, 2
	want, log := finishWith(t, t.TempDir(), o)
	dir := t.TempDir()
	interruptWith(t, dir, 9, o)
	got, again := finishWith(t, dir, o)
	same(t, got, want)
	if !bytes.Equal(again, log) {
		t.Errorf("the log is\n%s, want\n%s", again, log)
	}
}

// learned returns the variables that newRegression trains.
func learned(t *testing.T, store *model.Store) map[string][]float32 {
	t.Helper()
	list, err := weights.Export(store, weights.F32, "learned")
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]float32)
	for _, v := range list {
		out[v.Name] = floats(t, v)
	}
	return out
}

func floats(t *testing.T, v weights.Tensor) []float32 {
	t.Helper()
	values, err := v.Float32()
	if err != nil {
		t.Fatal(err)
	}
	return values
}
