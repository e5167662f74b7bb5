package weights

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// write writes a file for one test.
func write(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "weights")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// allocated returns the bytes that f allocates, freed or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// open opens content as a file and fails the test if that takes more memory
// than the package promises, or the error is not one line that names the file.
func open(t testing.TB, content []byte) (*File, error) {
	t.Helper()
	path := write(t, content)
	var f *File
	var err error
	took := allocated(func() { f, err = Open(path) })
	if limit := uint64(64<<20 + 4*len(content)); took > limit {
		t.Errorf("opening %d bytes allocates %d, more than %d", len(content), took, limit)
	}
	if err == nil {
		t.Cleanup(func() { f.Close() })
	} else if text := err.Error(); !strings.HasPrefix(text, path+": ") || strings.ContainsAny(text, "\n\r") || len(text) > len(path)+600 {
		t.Errorf("not one line about the file: %q", text)
	}
	return f, err
}

// refuse fails the test unless opening content fails with these words.
func refuse(t testing.TB, content []byte, words string) {
	t.Helper()
	switch _, err := open(t, content); {
	case err == nil:
		t.Errorf("opened, want an error about %q", words)
	case !strings.Contains(err.Error(), words):
		t.Errorf("error is %q, want %q", err, words)
	}
}

func TestOpenRefuses(t *testing.T) {
	for content, words := range map[string]string{
		"":                            "the file is empty",
		"x":                           "neither",
		"\x80":                        "pickle byte 0",
		"PK\x03\x04":                  "zip directory",
		"PK\x03\x04\x00\x00\x00\x00{": "a header of 67324752 bytes, more than 16777216",
		"12345678":                    "neither",
	} {
		refuse(t, []byte(content), words)
	}
	dir := t.TempDir()
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), dir+": not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none")); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
}

func TestCloseTwice(t *testing.T) {
	f, err := open(t, safetensors(`{}`, 0))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, ok := f.Tensor("a"); ok || len(f.Names()) != 0 {
		t.Error("a closed file has tensors")
	}
}
