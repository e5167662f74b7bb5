package recipe

import (
	"context"
	"errors"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/method"
)

// checkTexts reports what embeddings of captions cannot stand beside.
func (c ClipCap) checkTexts() error {
	if c.Texts && !c.Normalize {
		return errors.New("texts is on, but normalize is off: CLIP's photos and texts differ in length")
	}
	return nil
}

// batch returns the source of c's batches: the photos', and by turns with them those of
// the captions' own embeddings, if c learns from these. close gives these back.
func (c ClipCap) batch(ctx context.Context, e *embedder, photos *batches.Pairs) (batch func(update int) (method.Pairs, error), close func() error, err error) {
	if !c.Texts {
		return photos.Batch, func() error { return nil }, nil
	}
	var texts []string
	for _, r := range photos.Records {
		texts = append(texts, r.Captions...)
	}
	embeddings, err := e.texts(ctx, texts)
	if err != nil {
		return nil, nil, err
	}
	move, err := mover(embeddings, photos.Embeddings)
	if err != nil {
		return nil, nil, errors.Join(err, embeddings.Close())
	}
	told := *photos
	told.Records, told.Embeddings, told.Views, told.Move = alone(texts), embeddings, 1, move
	return batches.InTurns(photos.Batch, told.Batch), embeddings.Close, nil
}

// mover moves texts, at length 1, so that their mean is that of photos.
func mover(texts, photos *dataset.Embeddings) (func(row []float32) []float32, error) {
	from, err := align.Centre(rows(texts, true))
	if err != nil {
		return nil, err
	}
	to, err := align.Centre(rows(photos, true))
	if err != nil {
		return nil, err
	}
	return func(row []float32) []float32 { return align.MeanShift(align.Unit(row), from, to) }, nil
}
