package dataset_test

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/dataset"
)

// FuzzReadJSONL holds that a record, if it is read, is complete.
func FuzzReadJSONL(f *testing.F) {
	f.Add([]byte(dog + "\n\n" + cat))
	f.Add([]byte("\uFEFF{\"image\": \"a\", \"captions\": [\"\\u00e9\"], \"Image\": null}\r\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ended := false
		for record, err := range dataset.ReadJSONL(bytes.NewReader(data)) {
			if ended {
				t.Fatal("the sequence goes on after an error")
			}
			if ended = err != nil; ended {
				if !strings.HasPrefix(err.Error(), "line ") || strings.Contains(err.Error(), "\n") {
					t.Errorf("the error names no line, or takes several: %q", err)
				}
				continue
			}
			if record.Image == "" || len(record.Captions) == 0 {
				t.Errorf("%+v is incomplete", record)
			}
		}
	})
}

// FuzzOpenTar holds that an archive, if it is opened, gives what Go's own reader finds
// from front to back.
func FuzzOpenTar(f *testing.F) {
	f.Add(archive(f, entry("a.jpg", "12345"), &tar.Header{Typeflag: tar.TypeDir, Name: "b/"}, entry("b/c.jpg", "")))
	f.Add(archive(f, entry(strings.Repeat("long/", 60)+"a.jpg", "123")))
	f.Add(archive(f, entry("a.jpg", "1"), &tar.Header{Typeflag: tar.TypeSymlink, Name: "b.jpg", Linkname: "a.jpg"}))
	path := filepath.Join(f.TempDir(), "photos.tar")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		a, err := dataset.OpenTar(path)
		if err != nil {
			return
		}
		defer a.Close()
		contents := make(map[string]bool)
		reader := tar.NewReader(bytes.NewReader(data))
		for header, err := reader.Next(); err == nil; header, err = reader.Next() {
			content, err := io.ReadAll(reader)
			if err != nil {
				t.Fatalf("%q was opened, and cannot be read: %v", header.Name, err)
			}
			contents[string(content)] = true
		}
		for _, name := range a.Names() {
			got, err := read(a, name)
			if err != nil || !contents[got] {
				t.Errorf("%q holds %d bytes that no entry has, or %v", name, len(got), err)
			}
		}
	})
}

func FuzzSentence(f *testing.F) {
	for _, caption := range []string{"a dog .", "  two\tdogs run...", "\xff\xc3", "ŉ. . x\u2028. ", "."} {
		f.Add(caption)
	}
	f.Fuzz(checkSentence)
}
