package recipe_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/recipe"
	"github.com/cutline-go/cutline/internal/train"
)

// TestCLIPIsJudged holds that a CLIP, and a captioner that learns along, are scored on
// the other split, and that the better one comes out.
func TestCLIPIsJudged(t *testing.T) {
	dir := t.TempDir()
	captioner := smallCaptioner(t, dir)
	c := smallCLIP(captioner.Data)
	c.Captioning = &recipe.Captioning{
		Weight: 0.5, LanguageModel: captioner.LanguageModel, MaxTokens: 16,
		Mapper: mapper.Config{Kind: mapper.KindMLP, PrefixLength: 2},
	}
	c.Epochs, c.Optimizer.Updates = 2, 0 // of six photos, four an update
	c.Val = recipe.Val{Data: recipe.Data{Split: "val"}, Every: 1, Select: "val_recall_1", Samples: 1}
	out := filepath.Join(dir, "model")
	var evaluations int
	run := testRun(t, out, dir)
	run.Report = func(p train.Progress) {
		if p.Evaluation != nil {
			evaluations++
			if len(p.Evaluation.Samples) != 1 || p.Evaluation.Samples[0].Of != "6.png" {
				t.Errorf("after %d the samples are %v", p.Done, p.Evaluation.Samples)
			}
		}
	}
	if err := c.Train(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(out + ".run/val.csv")
	if err != nil {
		t.Fatal(err)
	}
	heading, _, _ := strings.Cut(string(table), "\n")
	if want := "update,val_loss,val_contrastive,val_captioning,val_recall_1,val_recall_5,val_recall_10,val_cider,val_distinct"; heading != want {
		t.Errorf("val.csv begins with %s, want %s", heading, want)
	}
	if evaluations != 3 || outcomeOf(t, out).By != "val_recall_1" {
		t.Errorf("%d evaluations, %+v", evaluations, outcomeOf(t, out))
	}
	if data := string(read(t, out, "model/run.json")); !strings.Contains(data, `"chosen_by_labelled_data": true`) || !strings.Contains(data, `"updates": 3`) {
		t.Errorf("run.json is %s", data)
	}
}

// TestForecastWritesNothing holds that a forecast counts, and neither trains nor
// embeds, here with the carried model's parts.
func TestForecastWritesNothing(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, t.TempDir())
	c.CLIP, c.LanguageModel = "", ""
	run := testRun(t, filepath.Join(dir, "out"), dir)
	var told []recipe.Forecast
	run.Forecast = func(f recipe.Forecast) { told = append(told, f) }
	for _, frozen := range []bool{false, true} {
		c.Method.FreezeGPT = frozen
		if err := c.Train(t.Context(), run); err != nil {
			t.Fatal(err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("a forecast left %v, %v", entries, err)
	}
	tuned, frozen := told[0], told[1]
	if tuned.Examples != 6 || tuned.Updates != 12 || tuned.Batch != 4 {
		t.Errorf("the forecast is %+v", tuned)
	}
	if a, b := tuned.Need, frozen.Need; a.Trained != a.Parameters || b.Parameters != a.Parameters || b.Trained >= a.Trained ||
		a.Weights != 4*a.Parameters || b.Moments != 8*b.Trained || a.Work <= 4*a.Trained || b.Work >= a.Work {
		t.Errorf("tuned it needs %+v, frozen %+v", a, b)
	}
}
