//go:build ignore

// Corpus keeps what fuzzing found: of the inputs in Go's cache it adds to testdata/fuzz
// the shortest that reach statements which neither the target's seeds, nor what is in
// testdata/fuzz, nor shorter inputs reach.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// maxSize is the longest input that is kept, in bytes.
const maxSize = 4 << 10

func main() {
	cache := filepath.Join(strings.TrimSpace(output("go", "env", "GOCACHE")), "fuzz")
	dir, err := os.MkdirTemp("", "corpus")
	check(err)
	defer os.RemoveAll(dir)
	for line := range strings.Lines(output("go", "list", "-f", "{{.ImportPath}} {{.Dir}}", "./...")) {
		name, folder, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !hasTarget(folder) {
			continue
		}
		binary := filepath.Join(dir, "test")
		output("go", "test", "-c", "-cover", "-o", binary, name)
		for target := range strings.Lines(output(binary, "-test.list", "^Fuzz")) {
			t := strings.TrimSpace(target)
			reduce(binary, folder, t, filepath.Join(cache, name, t), filepath.Join(dir, "profile"))
		}
	}
}

func hasTarget(folder string) bool {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	check(err)
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		check(err)
		return bytes.Contains(text, []byte("\nfunc Fuzz"))
	})
}

// input is a file of a corpus.
type input struct {
	name string
	text []byte
}

func reduce(binary, folder, target, cache, profile string) {
	corpus := filepath.Join(folder, "testdata", "fuzz", target)
	check(os.MkdirAll(corpus, 0o777))
	inputs := read(cache)
	slices.SortFunc(inputs, func(a, b input) int {
		return cmp.Or(cmp.Compare(len(a.text), len(b.text)), cmp.Compare(a.name, b.name))
	})
	covered := map[string]bool{}
	reach(binary, folder, profile, "^"+target+"$", covered)
	kept := 0
	for _, in := range inputs {
		path := filepath.Join(corpus, in.name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		check(os.WriteFile(path, in.text, 0o666))
		if reach(binary, folder, profile, "^"+target+"$/^"+in.name+"$", covered) {
			kept++
		} else {
			check(os.Remove(path))
		}
	}
	_ = os.Remove(corpus) // if it is empty
	fmt.Printf("%s: %d of %d inputs are new\n", target, kept, len(inputs))
}

func read(corpus string) []input {
	files, err := filepath.Glob(filepath.Join(corpus, "*"))
	check(err)
	var inputs []input
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(err)
		if len(text) <= maxSize {
			inputs = append(inputs, input{filepath.Base(file), text})
		}
	}
	return inputs
}

// reach adds the statements that a test reaches, and tells whether there are new ones.
func reach(binary, folder, profile, run string, covered map[string]bool) (more bool) {
	test := exec.Command(binary, "-test.run", run, "-test.coverprofile", profile)
	test.Dir = folder
	if out, err := test.CombinedOutput(); err != nil {
		check(fmt.Errorf("%s fails: %w: %s", run, err, out))
	}
	file, err := os.Open(profile)
	check(err)
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		statements, times, _ := strings.Cut(lines.Text(), " ")
		if !strings.HasSuffix(times, " 0") && !covered[statements] {
			covered[statements], more = true, true
		}
	}
	return more
}

func output(name string, args ...string) string {
	command := exec.Command(name, args...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	check(err)
	return string(out)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
