package modelfolder_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/modelfolder"
)

// names returns what lies in a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// TestWriteFails holds that a failing write leaves what was there, and nothing
// beside it.
func TestWriteFails(t *testing.T) {
	whole := random(t)
	broken := whole
	broken.Tensors = slices.Clone(whole.Tensors)
	broken.Tensors[3].Data = broken.Tensors[3].Data[1:] // seen when all else is written
	invalid := whole
	invalid.GPTTokenizer = nil
	for name, m := range map[string]modelfolder.Model{"broken tensor": broken, "invalid": invalid} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "model")
			if err := modelfolder.Write(dir, m); err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v, want one line", err)
			}
			if left := names(t, parent); left != nil {
				t.Errorf("it left %v", left)
			}
			if err := modelfolder.Write(dir, whole); err != nil {
				t.Fatal(err)
			}
			if err := modelfolder.Write(dir, m); err == nil {
				t.Error("the same over an old folder: no error")
			}
			if left := names(t, parent); !slices.Equal(left, []string{"model"}) {
				t.Errorf("it left %v", left)
			}
			folder, err := modelfolder.Open(dir)
			if err != nil {
				t.Fatalf("the old folder is gone: %v", err)
			}
			folder.Close()
		})
	}
}

// TestWriteReplaces writes a CLIP alone over a captioner: nothing of the old folder
// may stay.
func TestWriteReplaces(t *testing.T) {
	whole := random(t)
	parent := t.TempDir()
	dir := filepath.Join(parent, "model")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []modelfolder.Kind{modelfolder.Captioner, modelfolder.CLIP} {
		if err := modelfolder.Write(dir+"/", only(whole, kind)); err != nil {
			t.Fatal(err)
		}
	}
	if left := names(t, dir); !slices.Equal(left, []string{"clip_tokenizer", "config.json", "model.safetensors"}) {
		t.Errorf("the folder holds %v", left)
	}
	if left := names(t, parent); !slices.Equal(left, []string{"model"}) {
		t.Errorf("beside the folder lie %v", left)
	}
}

// TestOpenWhileWriting replaces a folder again and again: who opens it meanwhile
// gets one model or the other, or an error, and never parts of both.
func TestOpenWhileWriting(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "model")
	models := make([]modelfolder.Model, 2)
	for i := range models {
		models[i] = random(t)
		models[i].Config.Name = []string{"even", "odd"}[i]
		models[i].Run = []byte(models[i].Config.Name)
	}
	if err := modelfolder.Write(dir, models[0]); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < 30 && err == nil; i++ {
			err = modelfolder.Write(dir, models[i%2])
		}
		written <- err
	}()
	opened := 0
	for writing := true; writing; {
		select {
		case err := <-written:
			if err != nil {
				t.Fatal(err)
			}
			writing = false
		default:
		}
		folder, err := modelfolder.Open(dir)
		if err != nil {
			continue
		}
		opened++
		if folder.Config.Name != string(folder.Run) {
			t.Errorf("config.json is of %s, run.json of %s", folder.Config.Name, folder.Run)
		}
		folder.Close()
	}
	if opened == 0 {
		t.Error("never opened")
	}
}

func TestWriteRefusesToDelete(t *testing.T) {
	whole := random(t)
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, dir string)
		want    string
	}{
		{"file", func(t *testing.T, dir string) { write(t, dir) }, "is not a folder"},
		{"link", func(t *testing.T, dir string) {
			if err := os.Symlink(t.TempDir(), dir); err != nil {
				t.Skip(err)
			}
		}, "is not a folder"},
		{"photos", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "photo.jpg")) }, "not a model folder"},
		{"other model", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "config.json")) }, "not a model folder"},
		{"empty object", func(t *testing.T, dir string) {
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{}"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "not a model folder"},
		{"notes", func(t *testing.T, dir string) {
			if err := modelfolder.Write(dir, whole); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "notes.txt"))
		}, `holds "notes.txt"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "model")
			test.prepare(t, dir)
			refused(t, modelfolder.Write(dir, whole), dir, test.want)
			refused(t, modelfolder.Writable(dir), dir, test.want)
		})
	}
}

// write makes a file that is no part of a model.
func write(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`{"model_type": "gpt2"}`), 0o600); err != nil {
		t.Fatal(err)
	}
}
