package dataset

import (
	"errors"
	"fmt"
	"math"
	"os"
	"unsafe"

	"github.com/edsrzf/mmap-go"
)

// Embeddings are equally wide vectors, one after another. Those of an
// [EmbeddingCache] are mapped from its file: memory holds what is being read, and the
// system takes it back when it needs room. It is safe for concurrent use until Close.
type Embeddings struct {
	width   int
	values  []float32 // all rows; of a mapping if there is one
	mapping mmap.MMap
}

// NewEmbeddings copies rows, which must be equally wide, into memory.
func NewEmbeddings(rows [][]float32) (*Embeddings, error) {
	if len(rows) == 0 {
		return nil, errors.New("no embeddings")
	}
	e := &Embeddings{width: len(rows[0])}
	for i, row := range rows {
		if err := checkRow(row, i, e.width); err != nil {
			return nil, err
		}
		e.values = append(e.values, row...)
	}
	return e, nil
}

// checkRow refuses what would silently spoil all that is computed from it.
func checkRow(row []float32, i, width int) error {
	if len(row) != width {
		return fmt.Errorf("embedding %d is %d wide, want %d", i, len(row), width)
	}
	for j, v := range row {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("embedding %d: value %d is %g", i, j, v)
		}
	}
	return nil
}

// Len is the number of rows.
func (e *Embeddings) Len() int { return len(e.values) / e.width }

// Width is E, the number of values in a row.
func (e *Embeddings) Width() int { return e.width }

// Row is row i, of width E. It is not copied: it must not be written to, nor read
// after Close.
func (e *Embeddings) Row(i int) []float32 { return e.Block(i, i+1) }

// Block is the rows from one up to but without another, [to−from, E] in C order, under
// the terms of [Embeddings.Row]: products with all rows are taken block by block.
func (e *Embeddings) Block(from, to int) []float32 {
	return e.values[from*e.width : to*e.width : to*e.width]
}

// Close gives the mapping back.
func (e *Embeddings) Close() error {
	mapping := e.mapping
	e.values, e.mapping = nil, nil
	if mapping == nil {
		return nil
	}
	return mapping.Unmap()
}

// mapEmbeddings maps a file that holds rows of that width behind a header of some
// bytes, a multiple of 4.
func mapEmbeddings(path string, header, width int) (*Embeddings, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	mapping, err := mmap.Map(file, mmap.RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: map into memory: %w", path, err)
	}
	body := mapping[header:]
	values := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(body))), len(body)/4)
	return &Embeddings{width: width, values: values, mapping: mapping}, nil
}
