package main

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/metrics"
)

// hostile is a file that somebody made to hurt, or that a broken disk left, and the
// reader that it is for.
type hostile struct {
	name    string
	content []byte
	read    func(path string) error
}

// sound is a file that is to be read, and what can be missing from it all the same.
type sound struct {
	hostile
	spare int  // bytes at its end that nobody needs
	lines bool // it is sound after any line
}

// TestHostileFiles: whatever a file claims, it is refused in one line, and what is
// allocated meanwhile, freed or not, is at most 64 MiB and four times the file. How long
// it takes is BenchmarkHostileFiles' to tell.
func TestHostileFiles(t *testing.T) {
	for _, h := range hostileFiles(t) {
		t.Run(h.name, func(t *testing.T) { h.check(t, true) })
	}
}

// TestTruncatedFiles cuts a sound file of each kind after each of its bytes, or in some
// hundred places where it is long.
func TestTruncatedFiles(t *testing.T) {
	for _, s := range soundFiles(t) {
		t.Run(s.name, func(t *testing.T) {
			if err := s.read(s.write(t)); err != nil {
				t.Fatalf("the whole file: %v", err)
			}
			for n := 0; n < len(s.content)-s.spare; n += 1 + len(s.content)/150 {
				cut := hostile{s.name, s.content[:n], s.read}
				cut.check(t, !s.lines)
			}
		})
	}
}

// check reads the file. A file of lines may be sound however many it has.
func (h hostile) check(t *testing.T, refused bool) {
	t.Helper()
	path := h.write(t)
	var err error
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = h.read(path)
	runtime.ReadMemStats(&after)
	allocated, limit := after.TotalAlloc-before.TotalAlloc, uint64(64<<20+4*len(h.content))
	switch {
	case err == nil && refused:
		t.Errorf("%d bytes are no error", len(h.content))
	case err != nil && (strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > len(path)+600):
		t.Errorf("not one line: %q", err)
	case err != nil && strings.Contains(err.Error(), "decoder failed"):
		t.Errorf("a panic: %v", err)
	case allocated > limit:
		t.Errorf("%d bytes allocate %d, more than %d", len(h.content), allocated, limit)
	}
}

// BenchmarkHostileFiles is how long each takes to be refused.
func BenchmarkHostileFiles(b *testing.B) {
	for _, h := range hostileFiles(b) {
		path := h.write(b)
		b.Run(strings.ReplaceAll(h.name, " ", "_"), func(b *testing.B) {
			for b.Loop() {
				if h.read(path) == nil {
					b.Fatal("no error")
				}
			}
		})
	}
}

// write writes the file where its reader looks for it, and returns the path to give to
// the reader.
func (h hostile) write(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, h.content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The readers.

func readWeights(path string) error {
	file, err := weights.Open(path)
	if err != nil {
		return err
	}
	return file.Close()
}

func readFrequencies(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = metrics.ReadDocumentFrequencies(file)
	return err
}

func readPicture(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = imageproc.Decode(file, imageproc.DefaultLimits())
	return err
}

func readTar(path string) error {
	archive, err := dataset.OpenTar(path)
	if err != nil {
		return err
	}
	return archive.Close()
}

// readCaptions finds the format out and reads all records.
func readCaptions(path string) error {
	file, err := dataset.Open(path, "")
	if err != nil {
		return err
	}
	for _, err := range file.References() {
		if err != nil {
			return err
		}
	}
	return nil
}

// inModel reads a model folder, one of whose files is replaced.
func inModel(folder fstest.MapFS, name string) func(path string) error {
	return func(path string) error {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		changed := maps.Clone(folder)
		changed[name] = &fstest.MapFile{Data: content}
		model, err := captioner.OpenFS(changed, captioner.Options{})
		if err != nil {
			return err
		}
		return model.Close()
	}
}
