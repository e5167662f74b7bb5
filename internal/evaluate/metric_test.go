package evaluate

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/metrics"
)

// magic is published captions of photos of COCO, the first n.
func magic(t testing.TB, n int) *Captions {
	t.Helper()
	folder := golden.Shared(t, "data", "metric_check")
	references := dataset.File{Path: folder + "/coco_karpathy_test_refs.json", Format: dataset.Map}
	results := dataset.File{Path: folder + "/coco_karpathy_test_preds.json#magic", Format: dataset.Map}
	pairing, err := dataset.Pair(results.Results(), references.References())
	if err != nil {
		t.Fatal(err)
	}
	var samples []metrics.Sample
	for _, s := range pairing.Samples[:min(n, len(pairing.Samples))] {
		samples = append(samples, metrics.Sample{ID: s.Image, Candidate: s.Candidate, References: s.References})
	}
	return NewCaptions(samples)
}

// score computes some metrics.
func score(t testing.TB, c *Captions, all ...Metric) []Score {
	t.Helper()
	var scores []Score
	for _, m := range all {
		s, err := m.Score(t.Context(), c, Resources{})
		if err != nil {
			t.Fatal(err)
		}
		scores = append(scores, s...)
	}
	return scores
}

// TestKeys holds the names under which scores are reported.
func TestKeys(t *testing.T) {
	c := NewCaptions([]metrics.Sample{{ID: "1", Candidate: "a dog", References: []string{"a dog runs"}}})
	var keys []string
	for _, s := range score(t, c, BLEU, ROUGE, CIDEr, METEOR, SPICEGo, Diversity) {
		keys = append(keys, s.Key)
	}
	want := []string{"bleu1", "bleu2", "bleu3", "bleu4", "rouge_l", "cider", "meteor", "spice_go",
		"distinct_1", "distinct_2", "distinct_captions", "mean_length"}
	if !slices.Equal(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
}

// TestOver holds that a score of all images, each once and in any order, is the score
// of the corpus, and that each image twice makes no difference to it.
func TestOver(t *testing.T) {
	c := magic(t, 200)
	once := make([]int, len(c.Samples))
	for i := range once {
		once[i] = len(once) - 1 - i
	}
	for _, s := range score(t, c, BLEU, ROUGE, CIDEr, METEOR, SPICEGo) {
		for _, indices := range [][]int{once, slices.Concat(once, once)} {
			if got := s.over(indices); math.Abs(got-s.Corpus) > 1e-12 {
				t.Errorf("%s: %v over %d indices, want %v", s.Key, got, len(indices), s.Corpus)
			}
		}
	}
}

// TestIntervalsHoldScores holds that each score lies within its interval, and that
// fewer images make it wider.
func TestIntervalsHoldScores(t *testing.T) {
	intervals := func(n int) ([]Score, []Interval) {
		scores := score(t, magic(t, n), BLEU, ROUGE, CIDEr, METEOR)
		got, err := Bootstrap{Resamples: 300}.Intervals(scores)
		if err != nil {
			t.Fatal(err)
		}
		return scores, got
	}
	scores, many := intervals(800)
	_, few := intervals(50)
	for i, s := range scores {
		if s.Corpus < many[i].Low || s.Corpus > many[i].High {
			t.Errorf("%s: %v outside of %v", s.Key, s.Corpus, many[i])
		}
		if few[i].High-few[i].Low < many[i].High-many[i].Low {
			t.Errorf("%s: 50 images give %v, 800 give %v", s.Key, few[i], many[i])
		}
	}
}

func TestScoreErrors(t *testing.T) {
	c := NewCaptions([]metrics.Sample{{ID: "1", Candidate: "a dog", References: []string{"a dog runs"}}})
	for _, tt := range []struct {
		metric    Metric
		resources Resources
		want      string
	}{
		{"blue", Resources{}, `no metric "blue"`},
		{Copies, Resources{}, "no corpus"},
		{Copies, Resources{Corpus: func(yield func(string, error) bool) { yield("", errors.New("line 7")) }}, "line 7"},
		{CIDEr, Resources{DocumentFrequencies: "none.json"}, "none.json"},
		{CIDEr, Resources{DocumentFrequencies: "metric_test.go"}, "metric_test.go: "},
		{METEOR, Resources{Paraphrases: "none.gz"}, "none.gz"},
		{METEOR, Resources{Paraphrases: "metric_test.go"}, "metric_test.go: "},
		{SPICE, Resources{Jar: metrics.Jar{Path: "none.jar", Java: "no-such-java"}}, "no-such-java"},
	} {
		_, err := tt.metric.Score(t.Context(), c, tt.resources)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q on one line", tt.metric, err, tt.want)
		}
	}
}

// TestNoCaptions holds that nothing is scored where there is nothing: a mean of no
// images would be no number.
func TestNoCaptions(t *testing.T) {
	for _, m := range []Metric{BLEU, ROUGE, CIDEr, METEOR, SPICEGo, SPICE, Diversity, Copies} {
		scores, err := m.Score(t.Context(), NewCaptions(nil), Resources{})
		if want := string(m) + ": no captions to score"; err == nil || err.Error() != want || scores != nil {
			t.Errorf("%s: %v, error %v, want %q", m, scores, err, want)
		}
	}
}

// TestBLEUCounts holds the counts by hand: of 4 words 3 are right, of 3 bigrams 2, and
// of two references equally far the shorter counts.
func TestBLEUCounts(t *testing.T) {
	c := NewCaptions([]metrics.Sample{{Candidate: "a a a b", References: []string{"a b", "a a c d e f"}}})
	scores := score(t, c, BLEU, ROUGE)
	for i, want := range []map[string]int{
		{"bleu1_guess": 4, "bleu1_correct": 3, "candidate_length": 4, "reference_length": 2},
		{"bleu2_guess": 3, "bleu2_correct": 2, "candidate_length": 4, "reference_length": 2},
		{"bleu3_guess": 2, "bleu3_correct": 0, "candidate_length": 4, "reference_length": 2},
		{"bleu4_guess": 1, "bleu4_correct": 0, "candidate_length": 4, "reference_length": 2},
		nil,
	} {
		if got := scores[i].Counts; !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", scores[i].Key, got, want)
		}
	}
}

func BenchmarkIntervalsOfCOCO(b *testing.B) {
	c := magic(b, math.MaxInt)
	for _, m := range []Metric{BLEU, METEOR, CIDEr} {
		scores := score(b, c, m)
		b.Run(string(m), func(b *testing.B) {
			for b.Loop() {
				if _, err := (Bootstrap{Resamples: 1000}).Intervals(scores); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
