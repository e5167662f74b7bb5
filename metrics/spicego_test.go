package metrics

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

// TestSPICEGoDifferences prints how far spice-go is from the official SPICE
// of whole test sets, and holds what the documentation of SPICEGo says of it.
func TestSPICEGoDifferences(t *testing.T) {
	published := []struct {
		system               string
		official, documented float64
	}{
		{"magic", 0.113, 0.1107}, // the official run's; the others as MAGIC's article has them
		{"zerocap", 0.092, 0.0927},
		{"clip_retrieval", 0.053, 0.0505},
	}
	var predictions map[string]map[string]string
	var references map[string][]string
	readJSON(t, &predictions, "data", "metric_check", "coco_karpathy_test_preds.json")
	readJSON(t, &references, "data", "metric_check", "coco_karpathy_test_refs.json")
	for _, p := range published {
		got := SPICEGo(joined(predictions[p.system], references)).Corpus
		t.Logf("%-15s spice-go %.4f, official SPICE %.3f, difference %+.4f", p.system, got, p.official, got-p.official)
		if math.Round(got*1e4) != math.Round(p.documented*1e4) {
			t.Errorf("%s: spice-go %.4f, documented as %.4f", p.system, got, p.documented)
		}
	}
}

// TestSPICEGoExamples prints the difference on the two examples of CLIPScore's
// README, of which SPICE is published, and holds which is the better.
func TestSPICEGoExamples(t *testing.T) {
	var references map[string][]string
	readJSON(t, &references, "fixtures", "clipscore", "refs.json")
	score := map[string]float64{}
	for name, official := range map[string]float64{"good": 0.400, "bad": 0.150} {
		var candidates map[string]string
		readJSON(t, &candidates, "fixtures", "clipscore", name+"_captions.json")
		score[name] = SPICEGo(joined(candidates, references)).Corpus
		t.Logf("%s captions: spice-go %.4f, official SPICE %.3f, difference %+.4f", name, score[name], official, score[name]-official)
	}
	if score["good"] <= score["bad"] {
		t.Errorf("the good captions get %v, the bad ones %v", score["good"], score["bad"])
	}
}

// joined returns the samples of a system in the order of their ids.
func joined(candidates map[string]string, references map[string][]string) []Sample {
	var samples []Sample
	for _, id := range slices.Sorted(maps.Keys(candidates)) {
		samples = append(samples, Sample{id, candidates[id], references[id]})
	}
	return samples
}

func TestSPICEGo(t *testing.T) {
	samples := []Sample{
		{"same", "A man riding a wave.", []string{"a man rides a wave"}},
		{"synonyms", "a big bike", []string{"a large bicycle"}},
		{"half", "a dog", []string{"a dog on a bed", "a dog"}}, // 1 of 1, 1 of 3
		{"none", "a dog", []string{"a cat"}},
		{"empty", "", []string{"a cat"}},
		{"wordless", "...", []string{"...", ""}},
	}
	want := []float64{1, 1, 0.5, 0, 0, 0}
	got := SPICEGo(samples)
	if got.Name != "spice-go" || !slices.Equal(got.Images, want) || got.Corpus != 2.5/6 {
		t.Errorf("got %+v, want images %v and their mean", got, want)
	}
}

// TestSPICEGoProperties holds, on published captions: a caption against itself
// is 1, the order of references makes no difference, capitals and the full
// stop neither.
func TestSPICEGoProperties(t *testing.T) {
	samples := magic(t)[:300]
	itself, shuffled, shouted := slices.Clone(samples), slices.Clone(samples), slices.Clone(samples)
	for i, s := range samples {
		itself[i].References = []string{s.Candidate, strings.ToUpper(s.Candidate)}
		shuffled[i].References = slices.Clone(s.References)
		slices.Reverse(shuffled[i].References)
		shouted[i].Candidate = strings.ToUpper(strings.TrimSuffix(s.Candidate, "."))
	}
	for i, score := range SPICEGo(itself).Images {
		if score != 1 {
			t.Errorf("%q against itself is %v", samples[i].Candidate, score)
		}
	}
	want := SPICEGo(samples).Images
	for name, changed := range map[string][]Sample{"order": shuffled, "capitals": shouted} {
		for i, score := range SPICEGo(changed).Images {
			if score != want[i] {
				t.Errorf("%s: %q is %v, was %v", name, samples[i].Candidate, score, want[i])
			}
		}
	}
}

func BenchmarkSPICEGo(b *testing.B) {
	samples := magic(b)
	for b.Loop() {
		SPICEGo(samples)
	}
	b.ReportMetric(float64(len(samples)*b.N)/b.Elapsed().Seconds(), "images/s")
}
