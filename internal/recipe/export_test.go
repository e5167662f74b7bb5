package recipe

import (
	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/tokenizer"
)

// Mover is mover, for tests.
func Mover(texts, photos *dataset.Embeddings) (func(row []float32) []float32, error) {
	return mover(texts, photos)
}

// Few is few, for tests.
func Few(records []dataset.Record, captions int, seed int64) ([]dataset.Record, []int, error) {
	return few(records, captions, seed)
}

// Classification is c.words, for tests.
func (c CLIP) Classification(t *tokenizer.BPE, records []dataset.Record) *method.Classification {
	return c.words(t, records)
}
