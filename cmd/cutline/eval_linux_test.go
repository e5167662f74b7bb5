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
