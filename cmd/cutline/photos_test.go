package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/models"
)

// cutline runs the command and returns its status, results and messages.
func cutline(t *testing.T, args ...string) (status int, out, messages string) {
	t.Helper()
	var results, errors bytes.Buffer
	status = run(t.Context(), args, &console{strings.NewReader(""), &results, &errors})
	return status, results.String(), errors.String()
}

// TestPhotos captions a folder of photos as people have them, in one run, and
// the same with a file among them that is none.
func TestPhotos(t *testing.T) {
	folder := golden.Shared(t, "data", "photos")
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var all, photos []string
	for _, entry := range entries {
		name := filepath.Join(folder, entry.Name())
		all = append(all, name)
		if hasPhotoEnding(name) {
			photos = append(photos, name)
		}
	}
	if len(all) != len(photos)+1 {
		t.Fatalf("%s holds %d files and %d photos, want one file that is no photo", folder, len(all), len(photos))
	}
	other := slices.DeleteFunc(slices.Clone(all), hasPhotoEnding)[0]
	model := filepath.Join(t.TempDir(), "model")
	writeRandomModel(t, model)

	status, want, messages := cutline(t, append([]string{"caption", "--model", model}, photos...)...)
	if status != statusDone || messages != "" {
		t.Fatalf("status %d, %s", status, messages)
	}
	lines := strings.Split(strings.TrimSuffix(want, "\n"), "\n")
	if len(lines) != len(photos) {
		t.Fatalf("%d lines for %d photos", len(lines), len(photos))
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, photos[i]+"\t") {
			t.Errorf("line %d is %q, want that of %s", i+1, line, photos[i])
		}
	}
	status, got, messages := cutline(t, append([]string{"caption", "--model", model}, all...)...)
	if status != statusFailed || got != want {
		t.Errorf("with %s: status %d and\n%s", other, status, got)
	}
	if strings.Count(messages, "\n") != 1 || !strings.HasPrefix(messages, "cutline: error: "+other+": ") {
		t.Errorf("with %s: %q", other, messages)
	}
}

// TestCarriedModel holds that the command needs nothing but a photo.
func TestCarriedModel(t *testing.T) {
	if _, err := models.Tiny(); err != nil {
		t.Skip(err)
	}
	photo := filepath.Join(t.TempDir(), "sun.jpg")
	if err := writePhoto(photo); err != nil {
		t.Fatal(err)
	}
	status, out, messages := cutline(t, "caption", photo)
	if status != statusDone || strings.Count(out, "\n") != 1 || messages != "" {
		t.Errorf("status %d, %q, %q", status, out, messages)
	}
}
