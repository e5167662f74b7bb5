package dataset

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestEmbeddingFile(t *testing.T) {
	const rows, width = 600, 3 // more than a chunk
	fill := func(_ context.Context, from, to int) ([][]float32, error) {
		var out [][]float32
		for i := from; i < to; i++ {
			out = append(out, []float32{float32(i), 0.5, -float32(i)})
		}
		return out, nil
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "photos.safetensors")
	if err := WriteEmbeddings(t.Context(), path, rows, width, fill); err != nil {
		t.Fatal(err)
	}
	e, err := OpenEmbeddings(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Row(599); e.Len() != rows || e.Width() != width || !slices.Equal(got, []float32{599, 0.5, -599}) {
		t.Errorf("%d rows of %d, the last is %v", e.Len(), e.Width(), got)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := WriteEmbeddings(t.Context(), path, rows, width, fill); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("written over: %v", err)
	}

	broken := filepath.Join(dir, "broken.safetensors")
	failing := func(context.Context, int, int) ([][]float32, error) { return nil, errors.New("no more") }
	if err := WriteEmbeddings(t.Context(), broken, rows, width, failing); err == nil || !strings.Contains(err.Error(), "no more") {
		t.Errorf("a failing source: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "broken*")); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// TestEmbeddingFileDamaged cuts and changes a file: each is refused.
func TestEmbeddingFileDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	err := WriteEmbeddings(t.Context(), path, 2, 2, func(context.Context, int, int) ([][]float32, error) {
		return [][]float32{{1, 2}, {3, 4}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string]string{
		"": "not a file of embeddings", "x": "not a file of embeddings",
		strings.Replace(string(whole), "[2,2]", "[99,2]", 1):                                    "99 embeddings of width 2 in",
		strings.Replace(string(whole), "[2,2]", "[4611686018427387904,4611686018427387904]", 1): "embeddings of width",
		string(whole) + "x": "damaged",
	}
	for n := range whole {
		damaged[string(whole[:n])] = ""
	}
	for i := len(whole) - 16; i < len(whole); i++ {
		changed := slices.Clone(whole)
		changed[i] ^= 1
		damaged[string(changed)] = "damaged"
	}
	for content, want := range damaged {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenEmbeddings(path); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%d bytes: %v, want %q", len(content), err, want)
		}
	}
}
