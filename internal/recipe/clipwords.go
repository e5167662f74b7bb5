package recipe

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/tokenizer"
)

// checkMix reports a share that is none, and what cannot be mixed.
func (c CLIP) checkMix() error {
	switch {
	case !(c.Words >= 0):
		return fmt.Errorf("words is %g, want 0 or more", c.Words)
	case !(c.Mix >= 0 && c.Mix <= 0.5):
		return fmt.Errorf("mix is %g, want 0 to 0.5", c.Mix)
	case c.Mix > 0 && c.Captioning != nil:
		return errors.New("mix is on, and so is captioning: nobody captions two photos at once")
	}
	return nil
}

// words is the second half of [method.CLIP]'s equation (4), nil for none.
func (c CLIP) words(bpe *tokenizer.BPE, records []dataset.Record) *method.Classification {
	if c.Words == 0 {
		return nil
	}
	photos := make([]float64, bpe.Size())
	for _, r := range records {
		said := batches.Words(bpe, r.Captions)
		slices.Sort(said)
		for _, id := range slices.Compact(said) {
			photos[id]++
		}
	}
	w := &method.Classification{Weight: c.Words, Scarcity: make([]float32, len(photos))}
	for id, n := range photos {
		w.Scarcity[id] = float32(math.Log(float64(len(records)) / (1 + n)))
	}
	return w
}
