package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
)

// BenchmarkEval is the whole command, files and intervals included: BLEU, ROUGE-L and
// CIDEr-D of many captions, each with about five references. They are MAGIC's again and
// again, each with a number at its end so that no two are the same. It reports the most
// memory that the process ever held.
func BenchmarkEval(b *testing.B) {
	for _, n := range []int{31_250, 125_000, 500_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			references, results := writeManyCaptions(b, n)
			var most int64
			for b.Loop() {
				cmd := exec.Command("cutline", "eval", "--metrics", "bleu,rouge,cider", // as testscript.Main has it
					"--references", references, "--results", results)
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatal(err, string(out))
				}
				most = max(most, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
			}
			b.ReportMetric(float64(most)/1024, "MiB")
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}

// writeManyCaptions writes JSON lines of n images.
func writeManyCaptions(b *testing.B, n int) (references, results string) {
	folder := golden.Shared(b, "data", "metric_check")
	var predictions map[string]map[string]string
	var people map[string][]string
	readJSON(b, filepath.Join(folder, "coco_karpathy_test_preds.json"), &predictions)
	readJSON(b, filepath.Join(folder, "coco_karpathy_test_refs.json"), &people)
	var ids []string
	for id := range predictions["magic"] {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	write := func(name string, captions func(id string) []string) string {
		file, err := os.Create(filepath.Join(b.TempDir(), name))
		if err != nil {
			b.Fatal(err)
		}
		out := bufio.NewWriter(file)
		lines := json.NewEncoder(out)
		for i := range n {
			list := slices.Clone(captions(ids[i%len(ids)]))
			for k := range list {
				list[k] += " " + strconv.Itoa(i)
			}
			err = errors.Join(err, lines.Encode(map[string]any{"image": fmt.Sprintf("%d.jpg", i), "captions": list}))
		}
		if err := errors.Join(err, out.Flush(), file.Close()); err != nil {
			b.Fatal(err)
		}
		return file.Name()
	}
	return write("references.jsonl", func(id string) []string { return people[id] }),
		write("results.jsonl", func(id string) []string { return []string{predictions["magic"][id]} })
}

// TestEvalPipes scores what comes from pipes, each of which can be read but once: the
// format is told by what it begins with, and copies are looked for twice.
func TestEvalPipes(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"references.json": `{"1": ["a dog runs", "the dog runs fast"], "2": ["a cat sleeps"]}`,
		"results.json":    `[{"image_id": 1, "caption": "a dog runs"}, {"image_id": 2, "caption": "a cat sits"}]`,
		"against.json":    `[{"image_id": 1, "caption": "a dog"}, {"image_id": 2, "caption": "a cat"}]`,
		"copies.txt":      "a cat sits\na bird\n",
	}
	args := func(suffix string) []string {
		return []string{"eval", "--metrics", "bleu", "--references", filepath.Join(dir, "references.json"+suffix),
			"--results", filepath.Join(dir, "results.json"+suffix), "--against", filepath.Join(dir, "against.json"+suffix),
			"--copies-of", filepath.Join(dir, "copies.txt"+suffix), "--copies-format", "text"}
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), syscall.Mkfifo(path+".pipe", 0o600)); err != nil {
			t.Fatal(err)
		}
		go func() { _ = os.WriteFile(path+".pipe", []byte(content), 0) }() // waits for the reader
	}
	status, want, messages := cutline(t, args("")...)
	if status != statusDone || messages != "" {
		t.Fatalf("files: status %d, %s", status, messages)
	}
	status, got, messages := cutline(t, args(".pipe")...)
	if got = strings.ReplaceAll(got, ".pipe", ""); status != statusDone || messages != "" || got != want {
		t.Errorf("pipes: status %d, %s, %s\nwant %s", status, messages, got, want)
	}
}
