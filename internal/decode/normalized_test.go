package decode

import (
	"math"
	"testing"
)

// normalized is a table that knows its normalizers, or says that they are something else.
type normalized struct {
	*table
	more float64 // than they are
}

func (m normalized) Normalizers() []float64 {
	var all []float64
	for _, row := range m.logits() {
		z, err := logSumExp(row)
		if err != nil {
			m.t.Fatal(err)
		}
		all = append(all, z+m.more)
	}
	return all
}

// TestNormalizersOfTheModel: what the model says counts, unless it is no number.
func TestNormalizersOfTheModel(t *testing.T) {
	o := strategies()["beam"]
	want := mustSearch(t, newTable(t, 1, 3, 12), o)
	for _, more := range []float64{0, math.NaN(), math.Inf(1)} {
		for i, got := range mustSearch(t, normalized{newTable(t, 1, 3, 12), more}, o) {
			if !same(got, want[i]) {
				t.Errorf("normalizers with %g more: %v, want %v", more, got, want[i])
			}
		}
	}
	for _, h := range mustSearch(t, normalized{newTable(t, 1, 3, 12), 100}, o)[0] {
		if h.LogProb > -100*float64(len(h.Tokens)) {
			t.Errorf("normalizers 100 larger: log-probability %g of %d tokens", h.LogProb, len(h.Tokens))
		}
	}
}
