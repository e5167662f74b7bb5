package recipe_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/recipe"
	"github.com/cutline-go/cutline/internal/weights"
)

// TestAverage: weights are the means of two runs of other seeds, what both have is kept to
// the bit, run.json tells both, and models that are not alike are refused.
func TestAverage(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, dir)
	a, b, out := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "out")
	for i, path := range []string{a, b} {
		c.Seed = int64(i)
		if err := c.Train(t.Context(), testRun(t, path, dir)); err != nil {
			t.Fatal(err)
		}
	}
	if err := recipe.Average(out, []string{a, b}); err != nil {
		t.Fatal(err)
	}
	var parts [3]*weights.File
	for i, path := range []string{a, b, out} {
		parts[i] = golden.Load(t, filepath.Join(path, "model.safetensors"))
	}
	moved := 0
	for _, name := range parts[2].Names() {
		var values [3][]float32
		for j, p := range parts {
			tensor, _ := p.Tensor(name)
			var err error
			if values[j], err = tensor.Float32(); err != nil {
				t.Fatal(err)
			}
		}
		for j, got := range values[2] {
			if want := float32((float64(values[0][j]) + float64(values[1][j])) / 2); got != want {
				t.Fatalf("%s: value %d is %v, want %v", name, j, got, want)
			}
			if values[0][j] != values[1][j] {
				moved++
			}
		}
	}
	if moved == 0 {
		t.Error("the two runs came to the same weights")
	}
	if run := contents(t, out, "run.json"); bytes.Count(run, []byte(`"configuration"`)) != 2 {
		t.Errorf("run.json does not tell of both: %s", run)
	}
	captions(t, out, filepath.Join(c.Data.Photos, "2.png"))
	remembers := filepath.Join(dir, "remembers")
	if err := smallTextOnly(c)["decap"].Train(t.Context(), testRun(t, remembers, dir)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		to   string
		from []string
		want string
	}{
		"none there":       {filepath.Join(dir, "refused"), []string{a, filepath.Join(dir, "other")}, "other"},
		"another kind":     {filepath.Join(dir, "refused"), []string{a, c.LanguageModel}, "differ in config.json"},
		"a memory":         {filepath.Join(dir, "refused"), []string{remembers, remembers}, "has a memory of texts"},
		"over other files": {c.Data.Photos, []string{a, b}, "not a model folder"},
	} {
		if err := recipe.Average(test.to, test.from); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %q", name, err, test.want)
		}
	}
}

// TestAverageTakesLikeModels: models of the same sizes that read other tokens, or stop elsewhere, have
// no average.
func TestAverageTakesLikeModels(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, dir)
	for _, test := range []struct{ file, old, new, want string }{
		{"gpt_tokenizer/vocab.json", `"A":32,"B":33`, `"B":32,"A":33`, "a tokenizer"},
		{"config.json", `"max_tokens": 16`, `"max_tokens": 15`, "config.json"},
	} {
		a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
		for _, path := range []string{a, b} {
			if err := c.Train(t.Context(), testRun(t, path, dir)); err != nil {
				t.Fatal(err)
			}
		}
		changed := bytes.Replace(contents(t, b, test.file), []byte(test.old), []byte(test.new), 1)
		if bytes.Equal(changed, contents(t, b, test.file)) {
			t.Fatalf("%s: nothing to change: %s", test.file, changed)
		}
		if err := os.WriteFile(filepath.Join(b, test.file), changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := recipe.Average(filepath.Join(dir, "refused"), []string{a, b}); err == nil || !strings.Contains(err.Error(), "differ in "+test.want) {
			t.Errorf("%s: error is %v, want %q", test.file, err, test.want)
		}
	}
}
