package recipe

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/align"
)

// aggregated is what a corpus holds around each photo, by CLIP-agg of an inverse
// temperature, a row for each photo. It comes from the cache where it is there.
func (e *embedder) aggregated(ctx context.Context, photos, corpus *dataset.Embeddings, t float64) (*dataset.Embeddings, error) {
	h := sha256.New()
	if err := digestJSON(h, "aggregated", t); err != nil {
		return nil, err
	}
	if e.run.Forecast == nil {
		digestRows(h, photos)
		digestRows(h, corpus)
	}
	return e.open(ctx, "aggregating texts", sum(h), photos.Len(), func(ctx context.Context, from, to int) ([][]float32, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows := make([][]float32, to-from)
		for i := range rows {
			rows[i] = photos.Row(from + i)
		}
		return align.Aggregate(memory{corpus}, rows, t)
	})
}

// memory is mapped embeddings, as package align reads them.
type memory struct{ *dataset.Embeddings }

// Block copies the rows from one up to but without another.
func (m memory) Block(from, to int, into []float32) { copy(into, m.Embeddings.Block(from, to)) }

func digestRows(h hash.Hash, e *dataset.Embeddings) {
	for i := range e.Len() {
		_ = binary.Write(h, binary.LittleEndian, e.Row(i)) // a hash takes everything
	}
}
