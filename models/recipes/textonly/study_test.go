package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/evaluate"
	"github.com/cutline-go/cutline/internal/recipe"
)

// TestStudy holds that each run of the studies is a configuration that its method takes.
func TestStudy(t *testing.T) {
	for _, file := range []string{"textonly", "unpaired"} {
		s, err := readStudy("../../../docs/runs/" + file + "/study.json")
		if err != nil {
			t.Fatal(err)
		}
		names := make(map[string]bool)
		for _, r := range s.Runs {
			run := trial{study: s, run: r, seed: s.Seeds[0]}
			if _, err := run.config(); err != nil {
				t.Errorf("%s: %s: %v", file, r.Name, err)
			}
			if names[run.name()] {
				t.Errorf("%s: two runs write %s", file, run.name())
			}
			names[run.name()] = true
		}
	}
}

// TestResults holds that a stopped study knows what it has, and what its table says.
func TestResults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	r, err := openResults(path)
	if err != nil {
		t.Fatal(err)
	}
	for seed, cider := range map[int64]float64{1: 0.1, 2: 0.3} {
		one := result{
			key: key{"capdec", seed, "none", own}, Photos: 50,
			Summary: evaluate.Summary{CIDEr: cider, Interval: [2]float64{cider - 0.05, cider + 0.05}},
			Found:   []found{{Recall: [3]float64{cider, 2 * cider, 3 * cider}, MedianRank: 3 + float64(seed-1), Similarity: 0.3}},
		}
		if err := r.add(one); err != nil {
			t.Fatal(err)
		}
	}
	if r, err = openResults(path); err != nil {
		t.Fatal(err)
	}
	if !r.has(key{"capdec", 2, "none", own}) || r.has(key{"capdec", 3, "none", own}) || r.has(key{"capdec", 2, "none", mixture}) {
		t.Errorf("%+v", r.list)
	}
	table := path + ".md"
	if err := r.writeTable(table); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	if want := "| capdec | none | 50 | 0.200 | 0.100, 0.300 | 0.050 to 0.150 | 0.000 | 0.000 | 20.0, 40.0, 60.0 %, 3.5, 0.300 |  |\n"; !strings.Contains(string(data), want) {
		t.Errorf("%s, want %s", data, want)
	}
}

// TestFind holds ranks, recalls and likeness of four texts among four photos: two find
// their own photo, one finds it second, and one, which is unlike all of them, last.
func TestFind(t *testing.T) {
	photos := [][]float32{{1, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 3, 0}, {0, 0, 0, 4}}
	texts := [][]float32{{5, 0, 0, 0}, {0, 6, 0, 0}, {4, 0, 3, 0}, {1, 1, 1, 0}}
	got, err := find(photos, texts)
	if err != nil {
		t.Fatal(err)
	}
	if got.Recall != [3]float64{0.5, 1, 1} || got.MedianRank != 1.5 || math.Abs(got.Similarity-2.6/4) > 1e-6 {
		t.Errorf("%+v", got)
	}
	if got.Interval != [2]float64{1, 1} {
		t.Errorf("all are among the first five, but the interval is %v", got.Interval)
	}
	if _, err := find(photos, texts[:3]); err == nil {
		t.Error("a photo without a text was looked for")
	}
}

// TestRewards holds what the runs of CgT-GAN are rewarded for, and what they go on from.
func TestRewards(t *testing.T) {
	s, err := readStudy("../../../docs/runs/unpaired/study.json")
	if err != nil {
		t.Fatal(err)
	}
	type reward struct{ clip, most, temperature float64 }
	want := map[string]reward{
		"cgt-gan, CLIP-cos": {1, 0.15, 100}, "cgt-gan, CLIP-agg": {0, 0.15, 100}, "cgt-gan, both": {0.5, 0.15, 100},
		"cgt-gan, naturalness": {0, 0, 100},
	}
	for _, r := range s.Runs {
		reward, ok := want[r.Name]
		if !ok {
			continue
		}
		delete(want, r.Name)
		run := trial{options: options{work: "w", roberta: "r"}, study: s, run: r, seed: 7, unpaired: "photos.tar"}
		config, err := run.config()
		if err != nil {
			t.Fatal(err)
		}
		c := config.(*recipe.CgTGAN)
		m := c.Method
		if m.ClipWeight != reward.clip || m.Weight.Most != reward.most || c.Temperature != reward.temperature {
			t.Errorf("%s: clip_weight %g, weight %+v, inverse temperature %g", r.Name, m.ClipWeight, m.Weight, c.Temperature)
		}
		if c.RoBERTa != "r" || c.Photos != "photos.tar" || m.Generator.Seed != 7 || m.Generator.Updates != r.Updates || m.Weight.After+m.Weight.Over >= r.Updates {
			t.Errorf("%s: %+v", r.Name, c)
		}
		if c.LanguageModel != filepath.Join("w", "models", "cgt-gan-start-7") || c.Mapper.Kind != "" || c.Start.Epochs != 0 {
			t.Errorf("%s: goes on from %s with a mapper of kind %q and %g epochs", r.Name, c.LanguageModel, c.Mapper.Kind, c.Start.Epochs)
		}
	}
	if len(want) > 0 {
		t.Errorf("no runs of %v", want)
	}
}

// TestFrom holds that a run goes on from one that is there by then.
func TestFrom(t *testing.T) {
	file := filepath.Join(t.TempDir(), "study.json")
	const runs = `{"runs": [{"name": "a", "from": "b"}, {"name": "b"}]}`
	if err := os.WriteFile(file, []byte(runs), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := readStudy(file); err == nil || !strings.Contains(err.Error(), "a goes on from b, which is no run before it") {
		t.Errorf("%v", err)
	}
}

// TestOnly holds that a part of a study is what is named.
func TestOnly(t *testing.T) {
	s := study{Seeds: []int64{1, 2, 3}, Runs: []spec{{Name: "cyclegan"}, {Name: "cgt-gan, start"}}}
	if err := s.only(part{seeds: "2,3", runs: "^cgt"}); err != nil {
		t.Fatal(err)
	}
	if len(s.Runs) != 1 || s.Runs[0].Name != "cgt-gan, start" || !slices.Equal(s.Seeds, []int64{2, 3}) {
		t.Errorf("%+v", s)
	}
	if err := s.only(part{runs: "("}); err == nil || !strings.Contains(err.Error(), "-runs") {
		t.Errorf("no regular expression: %v", err)
	}
}

// TestClaims holds that results of one CLIP, discriminator or judge are not continued with
// another, and that models are those of any judge.
func TestClaims(t *testing.T) {
	work, out, other := t.TempDir(), t.TempDir(), t.TempDir()
	for _, name := range []string{"config.json", "model.safetensors"} {
		if err := os.WriteFile(filepath.Join(other, name), []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := (options{work: work, out: out}).claims(); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		o    options
		want string
	}{
		{options{work: work, out: out, clip: other}, "is of another CLIP"},
		{options{work: work, out: out, roberta: other}, "is of another CLIP, language model or RoBERTa"},
		{options{work: work, out: out, judge: other}, out + " is of another judge"},
	} {
		if err := test.o.claims(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
	if err := (options{work: work, out: t.TempDir(), judge: other}).claims(); err != nil {
		t.Errorf("the same models for another judge: %v", err)
	}
}
