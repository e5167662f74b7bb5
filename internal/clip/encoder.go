package clip

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Scope is where a store holds the variables of a CLIP, so that it can stand
// beside a captioner's other networks.
const Scope = "clip"

// Graphs are compiled for each shape, so shapes come in few sizes: rows in those of
// bucket up to maxRows, texts in multiples of lengthStep.
const (
	maxRows    = 32
	lengthStep = 16
)

// Encoder runs both towers on any store, a store under training included, as long
// as no update runs at the same time. It is safe for concurrent use.
type Encoder struct {
	config      Config
	image, text *model.Exec
}

// NewEncoder prepares the two towers, whose variables lie below [Scope] in store.
// They are looked up when a tower runs, so embeddings follow the latest update.
func NewEncoder(engine compute.Backend, store *model.Store, c Config) (*Encoder, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	image, err := model.NewExec(engine, store, func(root *model.Scope, pixels *Node) *Node {
		return c.EncodeImage(root.At(Scope), pixels)
	})
	if err != nil {
		return nil, fmt.Errorf("clip: image tower: %w", err)
	}
	text, err := model.NewExec(engine, store, func(root *model.Scope, tokens *Node) *Node {
		return c.EncodeText(root.At(Scope), tokens)
	})
	if err != nil {
		return nil, fmt.Errorf("clip: text tower: %w", err)
	}
	// The number of shapes is bounded by design; see maxRows and lengthStep.
	image.SetMaxCache(-1)
	text.SetMaxCache(-1)
	return &Encoder{config: c, image: image, text: text}, nil
}

// Image returns the embeddings, each of width E and not normalised, of
// preprocessed photos, each [3, S, S] in C order. However many there are, they run
// in batches of a bounded size, between which ctx is asked.
func (e *Encoder) Image(ctx context.Context, pixels [][]float32) ([][]float32, error) {
	size := e.config.Vision.ImageSize
	for i, p := range pixels {
		if len(p) != 3*size*size {
			return nil, fmt.Errorf("clip: photo %d has %d values, want 3×%d×%[3]d", i, len(p), size)
		}
	}
	return inBatches(ctx, pixels, func(rows [][]float32) ([][]float32, error) {
		batch := bucket(len(rows))
		flat := make([]float32, batch*3*size*size)
		for i, p := range rows {
			copy(flat[i*3*size*size:], p)
		}
		return run(e.image, tensors.FromFlatDataAndDimensions(flat, batch, 3, size, size), len(rows))
	})
}

// Text returns the embeddings, each of width E and not normalised, of texts as ids
// from the start token to the end token, at most the context length. What follows
// the end token is ignored.
func (e *Encoder) Text(ctx context.Context, tokens [][]int32) ([][]float32, error) {
	texts := make([][]int32, len(tokens))
	for i, ids := range tokens {
		texts[i] = ids[:e.config.Text.end(ids)]
		if n := len(texts[i]); n == 0 || n > e.config.Text.ContextLength {
			return nil, fmt.Errorf("clip: text %d has %d tokens, want 1 to %d", i, n, e.config.Text.ContextLength)
		}
		for _, id := range texts[i] {
			if id < 0 || int(id) >= e.config.Text.VocabSize {
				return nil, fmt.Errorf("clip: text %d: token %d is outside of the vocabulary of %d", i, id, e.config.Text.VocabSize)
			}
		}
	}
	return inBatches(ctx, texts, func(rows [][]int32) ([][]float32, error) {
		batch, length := bucket(len(rows)), e.config.Text.room(rows)
		flat := make([]int32, batch*length)
		for i, ids := range rows {
			copy(flat[i*length:], ids)
		}
		return run(e.text, tensors.FromFlatDataAndDimensions(flat, batch, length), len(rows))
	})
}

// end returns the number of ids up to the one that the feature is read at, which
// EncodeText finds by the same rule; all of them where none is the end.
func (t Text) end(ids []int32) int {
	end := 0
	for i, id := range ids {
		if t.EndToken != 0 && int(id) == t.EndToken {
			return i + 1
		}
		if id > ids[end] {
			end = i
		}
	}
	if t.EndToken != 0 || len(ids) == 0 {
		return len(ids)
	}
	return end + 1
}

// room rounds the longest of texts up to a length that graphs are compiled for.
func (t Text) room(texts [][]int32) int {
	longest := 0
	for _, ids := range texts {
		longest = max(longest, len(ids))
	}
	return min((longest+lengthStep-1)/lengthStep*lengthStep, t.ContextLength)
}

// inBatches calls encode for maxRows rows at a time.
func inBatches[R any](ctx context.Context, rows []R, encode func([]R) ([][]float32, error)) ([][]float32, error) {
	out := make([][]float32, 0, len(rows))
	for len(rows) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(len(rows), maxRows)
		embeddings, err := encode(rows[:n])
		if err != nil {
			return nil, err
		}
		out, rows = append(out, embeddings...), rows[n:]
	}
	return out, nil
}

// run calls a tower and splits its result [B, E] into the first rows.
func run(tower *model.Exec, input *tensors.Tensor, rows int) ([][]float32, error) {
	result, err := tower.Call1(input)
	// An engine may hold its copy outside of the memory that Go collects.
	_ = input.FinalizeAll()
	if err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	flat, err := tensors.CopyFlatData[float32](result)
	if err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	width := result.Shape().Dim(1)
	out := make([][]float32, rows)
	for i := range out {
		out[i] = flat[i*width : (i+1)*width : (i+1)*width]
	}
	return out, result.FinalizeAll()
}

// bucket rounds a number of rows up to 2ⁿ or 5·2ⁿ, the latter for the captions that
// five beams find.
func bucket(rows int) int {
	size := 1
	for size < rows {
		if size >= 4 && size/4*5 >= rows {
			return size / 4 * 5
		}
		size *= 2
	}
	return size
}
