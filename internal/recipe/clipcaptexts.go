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
// the captions' own embeddings, if c learns from these.
func (c ClipCap) batch(ctx context.Context, e *embedder, photos *batches.Pairs) (func(update int) (method.Pairs, error), error) {
	if !c.Texts {
		return photos.Batch, nil
	}
	var texts []string
	for _, r := range photos.Records {
		texts = append(texts, r.Captions...)
	}
	embeddings, err := e.texts(ctx, texts)
	if err != nil {
		return nil, err
	}
	defer embeddings.Close()
	moved, err := movedTo(photos.Embeddings, embeddings)
	if err != nil {
		return nil, err
	}
	told := *photos
	told.Records, told.Embeddings, told.Views = alone(texts), moved, 1
	return batches.InTurns(photos.Batch, told.Batch), nil
}

// movedTo moves texts, at length 1, so that their mean is that of the photos.
func movedTo(photos, texts *dataset.Embeddings) (*dataset.Embeddings, error) {
	to, err := align.Centre(rows(photos, true))
	if err != nil {
		return nil, err
	}
	from, err := align.Centre(rows(texts, true))
	if err != nil {
		return nil, err
	}
	var moved [][]float32
	for row := range rows(texts, true) {
		moved = append(moved, align.MeanShift(row, from, to))
	}
	return dataset.NewEmbeddings(moved)
}
