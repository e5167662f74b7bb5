package recipe_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/recipe"
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
	parts := [3]*modelfolder.Folder{opened(t, a), opened(t, b), opened(t, out)}
	moved := 0
	for i, tensor := range parts[2].Tensors {
		var values [3][]float32
		for j, p := range parts {
			var err error
			if values[j], err = p.Tensors[i].Float32(); err != nil {
				t.Fatal(err)
			}
		}
		for j, got := range values[2] {
			want := (float64(values[0][j]) + float64(values[1][j])) / 2
			if math.Abs(float64(got)-want) > 1e-7*math.Abs(want) {
				t.Fatalf("%s: value %d is %v, want %v", tensor.Name, j, got, want)
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
	other := filepath.Join(dir, "other")
	config := contents(t, b, "config.json")
	for name, test := range map[string]struct {
		from []string
		want string
	}{
		"one":              {[]string{a}, "two models or more"},
		"none there":       {[]string{a, other}, "other"},
		"another kind":     {[]string{a, c.LanguageModel}, "differ in config.json"},
		"over other files": {[]string{a, b}, "not a model folder"},
	} {
		to := filepath.Join(dir, "refused")
		if name == "over other files" {
			to = c.Data.Photos
		}
		if err := recipe.Average(to, test.from); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %q", name, err, test.want)
		}
	}
	longer := bytes.Replace(config, []byte(`"max_tokens": 1`), []byte(`"max_tokens": 2`), 1)
	if bytes.Equal(longer, config) {
		t.Fatalf("no max_tokens to change: %s", config)
	}
	if err := os.WriteFile(filepath.Join(b, "config.json"), longer, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := recipe.Average(filepath.Join(dir, "refused"), []string{a, b}); err == nil || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("of other lengths: %v", err)
	}
}

func opened(t *testing.T, path string) *modelfolder.Folder {
	t.Helper()
	f, err := modelfolder.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}
