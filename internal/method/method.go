// Package method holds one file per training method. Each opens with its paper's
// equations and then computes them; its Step runs one update and is a function of
// the store, the update's number and the batch alone, so that a run can be resumed
// at any update.
package method

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/cutline-go/cutline/internal/clipcap"
)

// Pairs is a batch of embeddings and the captions to be said of them.
type Pairs struct {
	Embeddings [][]float32 // [B, E]
	Captions   [][]int     // [B], token ids of the language model, of any length
}

// Photos is a batch of photos and one caption of each, for CLIP to read and, perhaps,
// for a language model to say.
type Photos struct {
	Pixels   [][]float32 // [B, 3·S·S], preprocessed
	Texts    [][]int32   // [B, T], as the CLIP tokenizer's Context gives them
	Captions [][]int     // [B], token ids of the language model, of any length; may be nil
	Words    [][]int32   // [B], of the CLIP tokenizer, in all captions of each photo; may be nil
	Mix      float32     // share of each photo that gives way to photo B−1−i; with it, Captions are nil
}

// Texts is a batch of sentences alone: a method that learns from it has no place
// to receive an image.
type Texts struct {
	Sentences [][]int // [B], token ids of the language model, of any length
}

// trained lists the scopes of a captioner that a method moves. A frozen language model
// also runs without dropout, as in the authors' code.
func trained(network *clipcap.Config, freezeGPT bool) []string {
	if freezeGPT {
		network.GPT = network.GPT.WithoutDropout()
		return []string{clipcap.MapperScope}
	}
	return []string{clipcap.MapperScope, clipcap.GPTScope}
}

// matrix packs equally long rows.
func matrix[T float32 | int32](rows [][]T) (*tensors.Tensor, error) {
	if len(rows) == 0 {
		return nil, fmt.Errorf("method: an empty batch")
	}
	width := len(rows[0])
	flat := make([]T, 0, len(rows)*width)
	for i, row := range rows {
		if len(row) != width {
			return nil, fmt.Errorf("method: row %d of the batch has %d values, row 0 has %d", i, len(row), width)
		}
		flat = append(flat, row...)
	}
	return tensors.FromFlatDataAndDimensions(flat, len(rows), width), nil
}

// lengthStep is the granularity of padded captions: lengths come in a few sizes,
// since each is a graph of its own.
const lengthStep = 8

// padded packs captions into [B, T] with loss.Padding to the right, T a multiple of
// lengthStep, cut to longest tokens.
func padded(captions [][]int, longest int) (*tensors.Tensor, error) {
	return paddedTo(captions, min(steps(longestOf(captions), lengthStep), longest))
}

// paddedTo packs captions into [B, length] with loss.Padding to the right, or cut.
func paddedTo(captions [][]int, length int) (*tensors.Tensor, error) {
	if len(captions) == 0 {
		return nil, fmt.Errorf("method: an empty batch")
	}
	flat := make([]int32, len(captions)*length)
	for i, caption := range captions {
		for j, id := range caption[:min(len(caption), length)] {
			flat[i*length+j] = int32(id)
		}
	}
	return tensors.FromFlatDataAndDimensions(flat, len(captions), length), nil
}

// longestOf is the length of the longest row, at least 1.
func longestOf[T any](rows [][]T) int {
	longest := 1
	for _, row := range rows {
		longest = max(longest, len(row))
	}
	return longest
}

// steps rounds length up to a multiple of step.
func steps(length, step int) int { return (length + step - 1) / step * step }
