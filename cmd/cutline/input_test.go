package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestInputs(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"b.jpg", "a.txt", "in/2.PNG", "in/1.jpeg", "in/notes.md", "in/.hidden.jpg", "in/.thumbs/3.jpg", "in/deep/4.webp", "empty/notes.md"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		what  string
		flags inputFlags
		stdin string
		want  []string // of an input that fails, its name and "!"
	}{
		{"order of arguments", inputFlags{Files: []string{"b.jpg", "a.txt", "-", "none"}}, "", []string{"b.jpg", "a.txt", "-", "none!"}},
		{"a folder", inputFlags{Files: []string{"in", "b.jpg"}}, "", []string{"in!", "b.jpg"}},
		{"into folders", inputFlags{Files: []string{"in", "b.jpg"}, Recursive: true}, "",
			[]string{"in/1.jpeg", "in/2.PNG", "in/deep/4.webp", "b.jpg"}},
		{"no photos", inputFlags{Files: []string{"empty"}, Recursive: true}, "", []string{"empty!"}},
		{"lines", inputFlags{FilesFrom: "-"}, "b.jpg\r\n\na.txt", []string{"b.jpg", "a.txt"}},
		{"NULs", inputFlags{Files: []string{"a.txt"}, FilesFrom: "-"}, "b.jpg\x00x\ny\x00", []string{"a.txt", "b.jpg", "x\ny!"}},
		{"an empty list", inputFlags{FilesFrom: "-"}, "", nil},
	} {
		inputs, err := tt.flags.list(strings.NewReader(tt.stdin))
		if err != nil {
			t.Errorf("%s: %v", tt.what, err)
		}
		var got []string
		for _, in := range inputs {
			name := filepath.ToSlash(in.name)
			if in.err != nil {
				name += "!"
			}
			got = append(got, name)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.what, got, tt.want)
		}
	}
}

func TestInputsUsage(t *testing.T) {
	for _, flags := range []inputFlags{
		{},
		{Files: []string{"-", "a", "-"}},
		{Files: []string{"-"}, FilesFrom: "-"},
	} {
		_, err := flags.list(strings.NewReader(""))
		var usage *usageError
		if !errors.As(err, &usage) {
			t.Errorf("%+v: %v, want a usage error", flags, err)
		}
	}
	missing := inputFlags{FilesFrom: filepath.Join(t.TempDir(), "none")}
	if _, err := missing.list(nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing list: %v", err)
	}
}
