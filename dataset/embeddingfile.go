package dataset

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// embeddingsEnding is that of a whole file of embeddings.
const embeddingsEnding = ".safetensors"

// WriteEmbeddings writes a file of embeddings that comes from elsewhere, in the format
// of an [EmbeddingCache]; path ends in ".safetensors". It asks fill for the rows from
// one up to but without another. A value that is no number is an error, and so is a
// file that is there already.
func WriteEmbeddings(ctx context.Context, path string, rows, width int, fill func(ctx context.Context, from, to int) ([][]float32, error)) error {
	stem, ok := strings.CutSuffix(path, embeddingsEnding)
	if !ok || rows <= 0 || width <= 0 {
		return fmt.Errorf("%s: %d embeddings of width %d, want some, and a name that ends in %s", path, rows, width, embeddingsEnding)
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: exists", path)
	}
	f := embeddingFile{path: stem, rows: rows, width: width}
	if err := f.make(ctx, fill); err != nil {
		_ = os.Remove(f.partial()) // the first error is the one that helps
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// OpenEmbeddings maps a file that [WriteEmbeddings] or an [EmbeddingCache] wrote, whole
// and as it was written.
func OpenEmbeddings(path string) (*Embeddings, error) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil, errors.New("embeddings: mapped files take a little-endian machine")
	}
	f, err := readEmbeddingHeader(path)
	if err == nil && !f.valid(path, f.rows) {
		err = errors.New("damaged, or not written to its end")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return mapEmbeddings(path, len(f.header(0, 0)), f.width)
}

// readEmbeddingHeader finds what a file is said to hold.
func readEmbeddingHeader(path string) (embeddingFile, error) {
	f := embeddingFile{path: strings.TrimSuffix(path, embeddingsEnding)}
	file, err := os.Open(path)
	if err != nil {
		return f, errors.Unwrap(err) // the caller names path
	}
	defer file.Close()
	const most = 1 << 10 // bytes of a header
	start := make([]byte, most)
	n, err := file.ReadAt(start, 0)
	if err != nil && err != io.EOF {
		return f, err
	}
	_, text, _ := strings.Cut(string(start[:n]), `","key":"`)
	key, text, ok := strings.Cut(text, `"},"embeddings":{"dtype":"F32","shape":[`)
	if _, err := fmt.Sscanf(text, "%d,%d]", &f.rows, &f.width); !ok || err != nil {
		return f, errors.New("not a file of embeddings")
	}
	info, err := file.Stat()
	if err != nil {
		return f, err
	}
	// Before anything is computed from numbers that a file tells.
	if f.rows <= 0 || f.width <= 0 || int64(f.rows) > info.Size()/4/int64(f.width) {
		return f, fmt.Errorf("%d embeddings of width %d in %d bytes", f.rows, f.width, info.Size())
	}
	f.key = key
	return f, nil
}
