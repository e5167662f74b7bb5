package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/evaluate"
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
		if err := r.add(result{key: key{"capdec", seed, "none", own}, Photos: 50, Summary: evaluate.Summary{CIDEr: cider, Interval: [2]float64{cider - 0.05, cider + 0.05}}}); err != nil {
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
	if want := "| capdec | none | 50 | 0.200 | 0.100, 0.300 | 0.050 to 0.150 | 0.000 | 0.000 |\n"; !strings.Contains(string(data), want) {
		t.Errorf("%s, want %s", data, want)
	}
}

// TestClaim holds that results of one CLIP are not continued with another.
func TestClaim(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	if err := (options{}).claim(dir); err != nil {
		t.Fatal(err)
	}
	if err := (options{}).claim(dir); err != nil {
		t.Errorf("the same networks: %v", err)
	}
	for _, name := range []string{"config.json", "model.safetensors"} {
		if err := os.WriteFile(filepath.Join(other, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := (options{clip: other}).claim(dir); err == nil || !strings.Contains(err.Error(), "another CLIP") {
		t.Errorf("another CLIP: %v", err)
	}
}
