package cyclegan

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Translator runs the generator of texts on any store, a store under training
// included, as long as no update runs at the same time. It is safe for concurrent use.
type Translator struct {
	config Config
	graph  *model.Exec
}

// NewTranslator prepares the generator, whose variables lie below [TextGenerator] in
// store.
func NewTranslator(engine compute.Backend, store *model.Store, c Config) (*Translator, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	graph, err := model.NewExec(engine, store, c.Textualize)
	if err != nil {
		return nil, fmt.Errorf("cyclegan: %w", err)
	}
	return &Translator{c, graph}, nil
}

// together is the number of rows that the graph is compiled for.
const together = 8

// Textualize translates embeddings of photos, each of width E, into such of texts. ctx
// is asked between batches.
func (t *Translator) Textualize(ctx context.Context, photos [][]float32) ([][]float32, error) {
	width := t.config.Width
	out := make([][]float32, 0, len(photos))
	for from := 0; from < len(photos); from += together {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		flat := make([]float32, together*width)
		rows := photos[from:min(from+together, len(photos))]
		for i, row := range rows {
			if len(row) != width {
				return nil, fmt.Errorf("cyclegan: embedding %d has width %d, the generator reads %d", from+i, len(row), width)
			}
			copy(flat[i*width:], row)
		}
		input := tensors.FromFlatDataAndDimensions(flat, together, width)
		result, err := t.graph.Call1(input)
		_ = input.FinalizeAll() // it was read
		if err != nil {
			return nil, fmt.Errorf("cyclegan: %w", err)
		}
		translated, err := tensors.CopyFlatData[float32](result)
		_ = result.FinalizeAll()
		if err != nil {
			return nil, fmt.Errorf("cyclegan: %w", err)
		}
		for i := range rows {
			out = append(out, translated[i*width:(i+1)*width:(i+1)*width])
		}
	}
	return out, nil
}
