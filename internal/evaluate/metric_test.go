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
func magic(t testing.TB, n int) Captions {
	t.Helper()
	folder := golden.Shared(t, "data", "metric_check")
	references := dataset.File{Path: folder + "/coco_karpathy_test_refs.json", Format: dataset.Map}
	results := dataset.File{Path: folder + "/coco_karpathy_test_preds.json#magic", Format: dataset.Map}
	people, err := dataset.NewReferences(references.References())
	if err != nil {
		t.Fatal(err)
	}
	pairing, err := people.Pair(results.Results())
	if err != nil {
		t.Fatal(err)
	}
	var samples []metrics.Sample
	for s, err := range pairing.Samples() {
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, metrics.Sample{ID: s.Image, Candidate: s.Candidates[0], References: s.References})
	}
	return InMemory(samples[:min(n, len(samples))])
}

// scoreWith computes some metrics.
func scoreWith(t testing.TB, c Captions, r Resources, all ...Metric) ([]Score, error) {
	t.Helper()
	var scorers []Scorer
	for _, m := range all {
		s, err := m.Scorer(r)
		if err != nil {
			return nil, err
		}
		scorers = append(scorers, s)
	}
	return Run(t.Context(), c, scorers, nil)
}

// score computes some metrics that ask for nothing.
func score(t testing.TB, c Captions, all ...Metric) []Score {
	t.Helper()
	scores, err := scoreWith(t, c, Resources{}, all...)
	if err != nil {
		t.Fatal(err)
	}
	return scores
}

func imagesOf(s Score) []float64 {
	images := make([]float64, s.images)
	for i := range images {
		images[i] = s.Image(i)
	}
	return images
}

// TestKeys holds the names under which scores are reported.
func TestKeys(t *testing.T) {
	c := InMemory([]metrics.Sample{{ID: "1", Candidate: "a dog", References: []string{"a dog runs"}}})
	var keys []string
	for _, s := range score(t, c, BLEU, ROUGE, CIDEr, METEOR, SPICEGo, Diversity, SelfCIDEr) {
		keys = append(keys, s.Key)
	}
	want := []string{"bleu1", "bleu2", "bleu3", "bleu4", "rouge_l", "cider", "meteor", "spice_go",
		"distinct_1", "distinct_2", "distinct_captions", "mean_length", "self_cider"}
	if !slices.Equal(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
}

// TestOver holds that a score of all images is the score of the corpus, that each image
// twice makes no difference to it, and that parts make scores of their own.
func TestOver(t *testing.T) {
	c := magic(t, 200)
	const half = 100
	times := func(all, second int32) []int32 {
		list := slices.Repeat([]int32{all}, c.Images)
		for i := half; i < len(list); i++ {
			list[i] *= second
		}
		return list
	}
	member := slices.Concat(slices.Repeat([]bool{true}, half), slices.Repeat([]bool{false}, half))
	scores := score(t, c, BLEU, ROUGE, CIDEr, METEOR, SPICEGo)
	for _, list := range [][]int32{times(1, 1), times(2, 1)} {
		for i, got := range overAll(scores, list) {
			if s := scores[i]; math.Abs(got-s.Corpus) > 1e-12 {
				t.Errorf("%s: %v over all, want %v", s.Key, got, s.Corpus)
			}
		}
	}
	within := Within(scores, "x", member)
	again := overAll(within, times(1, 7))
	for i, want := range overAll(scores, times(1, 0)) {
		s, part := scores[i], within[i]
		if part.Corpus != want || want == s.Corpus || again[i] != want {
			t.Errorf("%s: %v within a half, want %v", s.Key, part.Corpus, want)
		}
		if part.Key != s.Key+"/x" || part.Name != s.Name+", x" {
			t.Errorf("%s within x is %s, %s", s.Key, part.Key, part.Name)
		}
	}
}

// TestBlocks holds that scores of many blocks are those of all captions at once.
func TestBlocks(t *testing.T) {
	few := magic(t, 300)
	var samples []metrics.Sample
	for len(samples) < 2*blockSize+7 {
		for s := range few.Samples {
			samples = append(samples, s.Sample)
		}
	}
	tokens := metrics.TokenizeAll(samples)
	bleu := metrics.BLEU(tokens)
	want := append(bleu.Scores[:], metrics.ROUGEL(tokens), metrics.CIDErD(tokens, nil), metrics.METEOR(tokens, nil).Scores)
	for i, s := range score(t, InMemory(samples), BLEU, ROUGE, CIDEr, METEOR) {
		if s.Name != want[i].Name || s.Corpus != want[i].Corpus || !slices.Equal(imagesOf(s), want[i].Images) {
			t.Errorf("%s is %v in blocks, want %v", s.Name, s.Corpus, want[i].Corpus)
		}
	}
}

// TestSelfCIDEr holds that sets of captions are scored by what the references say is
// rare, or a file.
func TestSelfCIDEr(t *testing.T) {
	captions := Captions{2, func(yield func(Sample, error) bool) {
		_ = yield(Sample{metrics.Sample{Candidate: "a dog sits", References: []string{"a dog sits here"}}, []string{"A dog sits."}}, nil) &&
			yield(Sample{metrics.Sample{Candidate: "two cats sleep", References: []string{"two cats"}}, []string{"red fish swim", "nobody knows why"}}, nil)
	}}
	s := score(t, captions, SelfCIDEr)[0]
	if got := imagesOf(s); math.Abs(got[0]) > 1e-6 || math.Abs(got[1]-1) > 1e-6 || math.Abs(s.Corpus-0.5) > 1e-6 {
		t.Errorf("%v, %v; want 0 and 1", got, s.Corpus)
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
	c := InMemory([]metrics.Sample{{ID: "1", Candidate: "a dog", References: []string{"a dog runs"}}})
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
		_, err := scoreWith(t, c, tt.resources, tt.metric)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q on one line", tt.metric, err, tt.want)
		}
	}
}

// TestNoCaptions holds that nothing is scored where there is nothing: a mean of no
// images would be no number.
func TestNoCaptions(t *testing.T) {
	scores, err := scoreWith(t, Captions{}, Resources{}, BLEU, ROUGE)
	if want := "no captions to score"; err == nil || err.Error() != want || scores != nil {
		t.Errorf("%v, error %v, want %q", scores, err, want)
	}
}

// TestBLEUCounts holds the counts by hand: of 4 words 3 are right, of 3 bigrams 2, and
// of two references equally far the shorter counts.
func TestBLEUCounts(t *testing.T) {
	c := InMemory([]metrics.Sample{{Candidate: "a a a b", References: []string{"a b", "a a c d e f"}}})
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
