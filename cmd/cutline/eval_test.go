package main

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
)

// TestEvalOfficial holds what the command prints of a published system's captions
// against what the official tools printed of them, to the digit.
func TestEvalOfficial(t *testing.T) {
	folder := golden.Shared(t, "data", "metric_check")
	var published struct {
		Official map[string]any `json:"official"`
	}
	readJSON(t, filepath.Join(folder, "published.json"), &published)
	status, out, messages := cutline(t, "eval", "--format", "json", "--bootstrap", "200",
		"--references", filepath.Join(folder, "coco_karpathy_test_refs.json"),
		"--results", filepath.Join(folder, "coco_karpathy_test_preds.json#magic"))
	if status != statusDone || messages != "" {
		t.Fatalf("status %d, %s", status, messages)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	for key, name := range map[string]string{
		"bleu1": "Bleu_1", "bleu2": "Bleu_2", "bleu3": "Bleu_3", "bleu4": "Bleu_4",
		"rouge_l": "ROUGE_L", "cider": "CIDEr",
	} {
		want, score := published.Official[name].(float64), got[key].(float64)
		if math.Round(score*1000) != math.Round(want*1000) {
			t.Errorf("%s is %.4f, want %.3f", key, score, want)
		}
		ends := got["intervals"].(map[string]any)[key].([]any)
		if low, high := ends[0].(float64), ends[1].(float64); low >= score || score >= high {
			t.Errorf("%s is %.4f, outside of its interval %v", key, score, ends)
		}
	}
	for n := range 4 {
		for _, key := range []string{"guess", "correct"} {
			want := published.Official[key].([]any)[n].(float64)
			count := got["counts"].(map[string]any)[fmt.Sprintf("bleu%d_%s", n+1, key)].(float64)
			if math.Abs(count-want) > 3 { // tokens that may be cut differently
				t.Errorf("%s of %d-grams is %v, want %v within 3", key, n+1, count, want)
			}
		}
	}
	// Official METEOR has a table of paraphrases, without which scores are lower.
	if score, most := got["meteor"].(float64), published.Official["METEOR"].(float64); score > most || score < most-0.011 {
		t.Errorf("meteor is %.4f, want up to 0.011 less than %.3f", score, most)
	}
	var results map[string]map[string]string
	readJSON(t, filepath.Join(folder, "coco_karpathy_test_preds.json"), &results)
	if int(got["images"].(float64)) != len(results["magic"]) {
		t.Errorf("%v images scored, want %d", got["images"], len(results["magic"]))
	}
}

func readJSON(t testing.TB, name string, value any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, value); err != nil {
		t.Fatal(err)
	}
}

// TestEvalArchive captions the photos of a tar archive, which gives the scores that
// the same photos in a folder give.
func TestEvalArchive(t *testing.T) {
	dir := t.TempDir()
	folder, archive := filepath.Join(dir, "photos"), filepath.Join(dir, "photos.tar")
	model, references := filepath.Join(dir, "model"), filepath.Join(dir, "references.json")
	err := errors.Join(
		os.Mkdir(folder, 0o755),
		writePhoto(filepath.Join(folder, "1.jpg")),
		writePhoto(filepath.Join(folder, "2.png")),
		os.WriteFile(references, []byte(`{"1.jpg": ["a sun"], "2.png": ["a hill", "a green hill"]}`), 0o644),
		writeTar(archive, folder, "1.jpg", "2.png"),
	)
	if err != nil {
		t.Fatal(err)
	}
	writeRandomModel(t, model)
	var reports []string
	for _, photos := range []string{folder, archive} {
		status, out, messages := cutline(t, "eval", "--model", model, "--photos", photos,
			"--references", references, "--metrics", "bleu,clipscore")
		if status != statusDone || messages != "" || !strings.HasPrefix(out, "images scored: 2, found by whole name\n") {
			t.Fatalf("%s: status %d, %q, %s", photos, status, out, messages)
		}
		reports = append(reports, out)
	}
	if reports[0] != reports[1] {
		t.Errorf("folder and archive differ:\n%s\n%s", reports[0], reports[1])
	}

	if err := writeTar(archive, dir, "references.json"); err != nil {
		t.Fatal(err)
	}
	status, out, messages := cutline(t, "eval", "--model", model, "--photos", archive, "--references", references)
	if want := "cutline: error: " + archive + ": no photos\n"; status != statusFailed || out != "" || messages != want {
		t.Errorf("an archive without photos: status %d, %q, %q", status, out, messages)
	}
}

// TestCLIPScoreNames holds that a likeness is called CLIPScore where the CLIP is called
// as OpenAI's ViT-B/32 is, and there alone.
func TestCLIPScoreNames(t *testing.T) {
	dir := t.TempDir()
	photo, references := filepath.Join(dir, "1.jpg"), filepath.Join(dir, "references.json")
	err := errors.Join(writePhoto(photo), os.WriteFile(references, []byte(`{"1.jpg": ["a sun"]}`), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		name     string
		official bool
	}{
		{"ViT-B/32", true},
		{"clip-vit-base-patch32", true},
		{"CLIP-ViT-B-32-laion2B", false},
		{"ViT-L/14", false},
	} {
		model := filepath.Join(dir, fmt.Sprint(i))
		writeModel(t, model, tt.name)
		_, scored, messages := cutline(t, "score", "--model", model, photo, "a dog")
		if got := strings.Contains(scored, `"clipscore":`); got != tt.official || !strings.Contains(scored, `"clip_similarity":`) {
			t.Errorf("score with %s: %s%s", tt.name, scored, messages)
		}
		_, report, messages := cutline(t, "eval", "--model", model, "--photos", dir, "--references", references,
			"--metrics", "clipscore,refclipscore", "--format", "json")
		official := strings.Contains(report, `"clipscore":`) && strings.Contains(report, `"refclipscore":`)
		if other := strings.Contains(report, `"clip_similarity":`) && strings.Contains(report, `"ref_clip_similarity":`); official != tt.official || other == tt.official {
			t.Errorf("eval with %s: %s%s", tt.name, report, messages)
		}
	}
}

// writeTar puts files of a folder into an archive.
func writeTar(name, folder string, files ...string) error {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(out)
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Name: file, Mode: 0o644, Size: int64(len(data))}); err != nil {
			return err
		}
		if _, err := archive.Write(data); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), out.Close())
}
