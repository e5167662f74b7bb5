package method

import (
	"context"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
)

// Writing is a language model at work on some texts, as package decode searches them.
// It reads each text anew for every token: slow, and right, for samples while training.
type Writing struct {
	m     *LanguageModel
	rows  int       // of the graph; texts that ended leave some of them empty
	texts [][]int32 // each from the begin token on
}

// Write begins n texts of at most maxTokens−1 tokens, with the weights as they are
// when each token is asked for.
func (m *LanguageModel) Write(n int) (*Writing, error) {
	if m.writer == nil {
		var err error
		if m.writer, err = model.NewExec(m.engine, m.store, m.next); err != nil {
			return nil, fmt.Errorf("method: %w", err)
		}
	}
	w := &Writing{m: m, rows: n}
	for range n {
		w.texts = append(w.texts, []int32{int32(m.begin)})
	}
	return w, nil
}

// next computes the logits [N, V] that follow position of texts [N, T].
func (m *LanguageModel) next(root *model.Scope, inputs []*Node) []*Node {
	texts, position := inputs[0], inputs[1]
	scope := root.At(clipcap.GPTScope).At("transformer")
	hidden, _ := m.network.Hidden(scope, m.network.Embed(scope, texts))
	at := InsertAxes(OneHot(position, texts.Shape().Dim(1), hidden.DType()), 0, -1)
	return []*Node{m.network.Logits(scope, ReduceSum(Mul(hidden, at), 1))}
}

// Prefill returns the logits of each first token.
func (w *Writing) Prefill(ctx context.Context) ([][]float32, error) { return w.logits(ctx) }

// Next continues texts parents[i] of the last logits with tokens[i].
func (w *Writing) Next(ctx context.Context, tokens, parents []int) ([][]float32, error) {
	texts := make([][]int32, len(tokens))
	for i, token := range tokens {
		before := w.texts[parents[i]]
		texts[i] = append(before[:len(before):len(before)], int32(token))
	}
	w.texts = texts
	return w.logits(ctx)
}

func (w *Writing) logits(ctx context.Context) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	length := w.m.maxTokens
	if n := len(w.texts[0]); n > length {
		return nil, fmt.Errorf("method: a text of %d tokens, more than %d", n, length)
	}
	flat := make([]int32, w.rows*length)
	for i, text := range w.texts {
		copy(flat[i*length:], text)
	}
	input := tensors.FromFlatDataAndDimensions(flat, w.rows, length)
	out, err := w.m.writer.Call(input, int32(len(w.texts[0])-1))
	_ = input.FinalizeAll() // it was read
	if err != nil {
		return nil, fmt.Errorf("method: %w", err)
	}
	logits, err := tensors.CopyFlatData[float32](out[0])
	_ = out[0].FinalizeAll()
	if err != nil {
		return nil, fmt.Errorf("method: %w", err)
	}
	rows := make([][]float32, len(w.texts))
	width := len(logits) / w.rows
	for i := range rows {
		rows[i] = logits[i*width : (i+1)*width]
	}
	return rows, nil
}
