package main

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cutline-go/cutline/internal/hub/hubtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"cutline": main})
}

// TestScripts runs testdata/*.txtar. Each script starts in a folder with two
// photos, sun.jpg and sun.png; $MODEL is a model folder, and $HF_ENDPOINT a hub that
// has clipcap-coco and gpt2, or what stands for them.
func TestScripts(t *testing.T) {
	model := filepath.Join(t.TempDir(), "model")
	writeRandomModel(t, model)
	server := hubtest.New(t)
	writeAndPublish(t, server)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("MODEL", model)
			env.Setenv("HF_ENDPOINT", server.URL)
			env.Setenv("HF_HOME", filepath.Join(env.WorkDir, "hf"))
			return errors.Join(
				writePhoto(filepath.Join(env.WorkDir, "sun.jpg")),
				writePhoto(filepath.Join(env.WorkDir, "sun.png")))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"fails": fails, "lines": lines},
	})
}

// TestInterrupted holds that a signal ends the work with one message.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	model, photo := filepath.Join(dir, "model"), filepath.Join(dir, "sun.png")
	writeRandomModel(t, model)
	references, results := filepath.Join(dir, "references.json"), filepath.Join(dir, "results.json")
	err := errors.Join(
		writePhoto(photo),
		os.WriteFile(references, []byte(`{"sun.png": ["a sun", "the sun"]}`), 0o644),
		os.WriteFile(results, []byte(`{"sun.png": "a sun"}`), 0o644),
	)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{
		{"caption", "--model", model, photo},
		{"caption", "--model", model, "--batch", "1", photo, photo},
		{"embed", "--model", model, photo},
		{"score", "--model", model, photo, "a sun"},
		{"eval", "--model", model, "--photos", dir, "--references", references},
		{"eval", "--results", results, "--references", references},
	} {
		var out, messages bytes.Buffer
		status := run(ctx, args, &console{strings.NewReader(""), &out, &messages})
		if status != statusFailed || out.Len() > 0 || messages.String() != "cutline: error: interrupted\n" {
			t.Errorf("%v: status %d, %q, %q", args[:1], status, out.String(), messages.String())
		}
	}
}

// fails is the command `fails STATUS PROGRAM…`: the program must exit with
// that status. `! exec` would be content with any.
func fails(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		ts.Fatalf("usage: fails STATUS PROGRAM [ARGUMENT…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		ts.Fatalf("%s: %v, want exit status %d", args[1], err, want)
	}
	if got := exit.ExitCode(); got != want {
		ts.Fatalf("%s: exit status %d, want %d", args[1], got, want)
	}
}

// lines is the command `lines N FILE`: the file, or stdout or stderr, must have
// N lines.
func lines(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 2 {
		ts.Fatalf("usage: lines N FILE")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := strings.Count(ts.ReadFile(args[1]), "\n"); got != want {
		ts.Fatalf("%s has %d lines, want %d", args[1], got, want)
	}
}

// writePhoto writes the picture that doctor draws, in the format of the name's
// ending.
func writePhoto(name string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	if filepath.Ext(name) == ".png" {
		err = png.Encode(file, picture())
	} else {
		err = jpeg.Encode(file, picture(), nil)
	}
	return errors.Join(err, file.Close())
}
