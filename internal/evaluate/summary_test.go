package evaluate

import (
	"math"
	"testing"

	"github.com/cutline-go/cutline/metrics"
)

// TestSummarize takes the numbers of the metrics by themselves.
func TestSummarize(t *testing.T) {
	samples := []metrics.Sample{
		{ID: "1", Candidate: "A dog runs over the grass.", References: []string{"A dog runs over the grass.", "A dog on a meadow."}},
		{ID: "2", Candidate: "a dog runs over the grass", References: []string{"Two children at the sea."}},
		{ID: "3", Candidate: "", References: []string{"A man climbs up a rock."}},
		{ID: "4", Candidate: "A man climbs.", References: []string{"A man climbs up a rock."}},
	}
	b := Bootstrap{Resamples: 50, Seed: 1}
	got, err := b.Summarize(t.Context(), samples)
	if err != nil {
		t.Fatal(err)
	}
	tokens := metrics.TokenizeAll(samples)
	if want := metrics.CIDErD(tokens, nil).Corpus; math.Abs(got.CIDEr-want) > 1e-12 {
		t.Errorf("CIDEr %g, want %g", got.CIDEr, want)
	}
	if got.Distinct != 0.75 {
		t.Errorf("distinct %g, want 0.75: two differ in case and a full stop alone", got.Distinct)
	}
	if !(got.Interval[0] <= got.CIDEr && got.CIDEr <= got.Interval[1] && got.Interval[0] < got.Interval[1]) {
		t.Errorf("CIDEr %g in %v", got.CIDEr, got.Interval)
	}
	if got.BLEU4 <= 0 || got.BLEU4 >= 1 {
		t.Errorf("BLEU-4 %g", got.BLEU4)
	}
	if _, err := b.Summarize(t.Context(), nil); err == nil {
		t.Error("no captions have a score")
	}
}
