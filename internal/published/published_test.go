package published_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/hub"
	"github.com/cutline-go/cutline/internal/published"
)

// TestTable holds that each model can be found, kept in a folder of its own, and made
// of what it lists.
func TestTable(t *testing.T) {
	folders := make(map[string]bool)
	for _, m := range published.Models() {
		found, err := published.Find(m.Name)
		if err != nil || found.Name != m.Name || m.About == "" || strings.Contains(m.About, "\n") {
			t.Errorf("%s: %v", m.Name, err)
		}
		if folder := hub.Folder(m.Name); folders[folder] {
			t.Errorf("%s: another model has the folder %s", m.Name, folder)
		} else {
			folders[folder] = true
		}
		var roles []published.Role
		for _, part := range m.Parts {
			if part.Role != published.CLIPTokenizer {
				roles = append(roles, part.Role)
			}
			if err := hub.CheckName(part.Repo); err != nil || !strings.Contains(part.Repo, "/") || len(part.Files) == 0 {
				t.Errorf("%s: %+v, %v", m.Name, part, err)
			}
			if part.Role == published.CLIP && m.CLIPName == "" {
				t.Errorf("%s: its CLIP has no name", m.Name)
			}
			if part.Role == published.ClipCap && len(part.Files) != 1 {
				t.Errorf("%s: %d files, want the checkpoint", m.Name, len(part.Files))
			}
		}
		alone := len(roles) == 1 && roles[0] != published.ClipCap
		captioner := slices.Equal(roles, []published.Role{published.CLIP, published.GPT2, published.ClipCap})
		if !alone && !captioner {
			t.Errorf("%s: parts %v make no model", m.Name, roles)
		}
	}
	if m, err := published.Find("openai-community/gpt2"); err != nil || m.Name != "gpt2" {
		t.Errorf("found %q, %v", m.Name, err)
	}
	for _, name := range []string{"", "clipcap", "akhaliq/CLIP-prefix-captioning-COCO-weights", "../gpt2", "gpt2/"} {
		if _, err := published.Find(name); err == nil {
			t.Errorf("%q is found", name)
		}
	}
}

// TestStoreNames holds that nothing outside of the store is named, and that what a
// crash left there is no model.
func TestStoreNames(t *testing.T) {
	root := t.TempDir()
	store := published.Store{Dir: filepath.Join(root, "models")}
	for _, name := range []string{"models/gpt2", "models/openai--clip", "models/gpt2.tmp-ABC", "models/gpt2.old-ABC", "models/-x", "outside"} {
		if err := os.MkdirAll(filepath.Join(root, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := store.Pulled(); err != nil || !slices.Equal(names, []string{"gpt2", "openai/clip"}) {
		t.Errorf("pulled are %v, %v", names, err)
	}
	for _, name := range []string{"../outside", "..", "", ".", "/", root, "absent", "openai/clip/.."} {
		if _, err := store.Remove(name, nil); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want one line", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "outside")); err != nil {
		t.Error(err)
	}
	if _, err := store.Remove("openai/clip", nil); err != nil {
		t.Error(err)
	}
}

// TestRecord holds that a record that is damaged is told, and cannot lead out of the
// cache.
func TestRecord(t *testing.T) {
	root := t.TempDir()
	store := published.Store{Dir: filepath.Join(root, "models")}
	secret := filepath.Join(root, "secret")
	if err := os.MkdirAll(filepath.Join(store.Dir, "gpt2"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secret, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	client := &hub.Client{Cache: filepath.Join(root, "hub")}
	for _, text := range []string{
		"{",
		`{"name": "gpt2", "sources": [{"repo": "../..", "commit": "", "files": []}]}`,
		`{"name": "gpt2", "sources": [{"repo": "a/b", "commit": "../../..", "files": [{"name": "secret", "size": 0, "digest": ""}]}]}`,
		`{"name": "gpt2", "sources": [{"repo": "a/b", "commit": "` + strings.Repeat("a", 40) + `", "files": [{"name": "../../../../secret", "size": 0, "digest": ""}]}]}`,
	} {
		if err := os.MkdirAll(filepath.Join(store.Dir, "gpt2"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(store.Dir, "gpt2.json"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Remove("gpt2", client); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line", text, err)
		}
		if _, err := os.Stat(secret); err != nil {
			t.Fatal(err)
		}
	}
}
