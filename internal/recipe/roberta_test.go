package recipe_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/recipe"
	"github.com/cutline-go/cutline/internal/roberta"
)

// smallRoBERTa learns from text.txt in dir and is judged by val.txt.
func smallRoBERTa(dir string) recipe.RoBERTa {
	o := optimizer(110)
	o.Schedule.Warmup, o.Average = 10, 0.9
	return recipe.RoBERTa{
		Name: "small", Texts: []string{filepath.Join(dir, "text.txt")}, Batch: 4,
		Network: roberta.Config{
			VocabSize: 290, Positions: 26, Width: 16, Layers: 1, Heads: 2, Intermediate: 32, PadToken: 1, Epsilon: 1e-5,
			HiddenDropout: 0.1, AttentionDropout: 0.1,
		},
		Method: method.RoBERTaConfig{Masking: method.PaperMasking(), Optimizer: o, MaxTokens: 24},
		Pace:   recipe.Pace{SaveEvery: 1, LogEvery: 1},
		Val:    recipe.Val{Texts: []string{filepath.Join(dir, "val.txt")}, Every: 10, Select: "val_loss"},
		Seed:   11,
	}
}

// TestRoBERTaFolder holds that what was trained opens as a RoBERTa with its tokenizer,
// and that run.json says how it came about.
func TestRoBERTaFolder(t *testing.T) {
	dir := t.TempDir()
	writeTexts(t, dir)
	r := smallRoBERTa(dir)
	r.Method.Optimizer.Updates = 20
	out := filepath.Join(dir, "roberta")
	if err := r.Train(t.Context(), testRun(t, out, dir)); err != nil {
		t.Fatal(err)
	}
	folder, err := modelfolder.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if kind := folder.Config.Kind(); kind != modelfolder.RoBERTa {
		t.Errorf("it is a %s", kind)
	}
	if err := folder.Check(golden.Engine(t)); err != nil {
		t.Error(err)
	}
	ids, err := folder.RoBERTaTokenizer.Context("A dog runs.", 12, false)
	if err != nil || ids[0] != 0 || ids[len(ids)-1] != 1 {
		t.Errorf("a text becomes %v: %v", ids, err)
	}
	for _, want := range []string{`"rate": 0.15`, `"text.txt":`, `"chosen_by_labelled_data": false`, `"by": "val_loss"`} {
		if !strings.Contains(string(folder.Run), want) {
			t.Errorf("run.json lacks %s", want)
		}
	}
	log, err := os.ReadFile(out + ".run/val.csv")
	if err != nil || !strings.HasPrefix(string(log), "update,val_loss,val_accuracy\n") {
		t.Errorf("val.csv begins %.40q: %v", log, err)
	}
}

func TestRoBERTaRefuses(t *testing.T) {
	dir := t.TempDir()
	writeTexts(t, dir)
	write(t, filepath.Join(dir, "empty.txt"), []byte(" .\n\n"))
	for want, change := range map[string]func(r *recipe.RoBERTa){
		"no sentences to learn from":     func(r *recipe.RoBERTa) { r.Texts = []string{filepath.Join(dir, "empty.txt")} },
		"masking: rate is 0":             func(r *recipe.RoBERTa) { r.Method.Masking.Rate = 0 },
		"max_tokens is 30, want 3 to 24": func(r *recipe.RoBERTa) { r.Method.MaxTokens = 30 },
		"lower the learning rate": func(r *recipe.RoBERTa) {
			r.Method.Optimizer.Schedule.LearningRate, r.Method.Optimizer.ClipNorm = 1e9, 0
		},
	} {
		r := smallRoBERTa(dir)
		change(&r)
		refused(t, r, filepath.Join(dir, "out"), dir, want)
	}
}
