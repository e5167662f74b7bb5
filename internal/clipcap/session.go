package clipcap

import (
	"context"
	"fmt"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Session is one batch of captions in the making. It implements the language
// model that package decode searches.
type Session struct {
	generator *Generator
	input     *tensors.Tensor // what the sequences begin with
	sequences int
	prefix    int // positions that this takes
	end       int // position after the last token
	room      int // positions that the cache has
	position  int // of the next token
	rows      int // that the last logits had
	cache     []*tensors.Tensor
	hidden    [][]float32
}

// Prefill reads the prefixes and returns the logits of each first token, one row
// of width V per sequence.
func (s *Session) Prefill(ctx context.Context) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out, err := s.generator.prefill.Call(s.input)
	if err != nil {
		return nil, fmt.Errorf("clipcap: reading the prefix: %w", err)
	}
	s.release()
	s.cache = out[2:]
	s.position, s.room = s.prefix, s.prefix
	return s.read(out, s.sequences)
}

// grow gives the cache room for the next position, and for some after it.
func (s *Session) grow() error {
	s.room = min((s.position/roomStep+1)*roomStep, s.generator.gpt.Positions)
	for i, t := range s.cache {
		padded, err := padPositions(t, s.room)
		if err != nil {
			return fmt.Errorf("clipcap: cache: %w", err)
		}
		s.cache[i] = padded
	}
	return nil
}

// padPositions moves a cache [N, H, M, d] into a zeroed one with room positions.
func padPositions(t *tensors.Tensor, room int) (*tensors.Tensor, error) {
	dims := t.Shape().Dimensions
	from, to := dims[2]*dims[3], room*dims[3]
	padded := make([]float32, dims[0]*dims[1]*to)
	err := tensors.ConstFlatData(t, func(flat []float32) {
		for head := range dims[0] * dims[1] {
			copy(padded[head*to:], flat[head*from:(head+1)*from])
		}
	})
	if err != nil {
		return nil, err
	}
	return tensors.FromFlatDataAndDimensions(padded, dims[0], dims[1], room, dims[3]), t.FinalizeAll()
}

// Next continues row parents[i] of the last logits with tokens[i]. It returns one
// row of logits per token.
func (s *Session) Next(ctx context.Context, tokens, parents []int) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.check(tokens, parents); err != nil {
		return nil, err
	}
	if s.position == s.room {
		if err := s.grow(); err != nil {
			return nil, err
		}
	}
	ids, rows := padInts(tokens), padInts(parents)
	graph, args := s.generator.next, []any{ids, int32(s.position)}
	if !s.inPlace(parents) {
		graph, args = s.generator.branch, append([]any{rows}, args...)
	}
	for _, t := range s.cache {
		donated, err := DonateTensorBuffer(t, s.generator.engine, 0)
		if err != nil {
			return nil, fmt.Errorf("clipcap: cache: %w", err)
		}
		args = append(args, donated)
	}
	s.cache = nil
	out, err := graph.Call(args...)
	_, _ = ids.FinalizeAll(), rows.FinalizeAll()
	if err != nil {
		return nil, fmt.Errorf("clipcap: next token: %w", err)
	}
	s.cache = out[2:]
	s.position++
	return s.read(out, len(tokens))
}

// inPlace tells whether each row continues itself, in a cache of the right height.
func (s *Session) inPlace(parents []int) bool {
	for row, parent := range parents {
		if row != parent {
			return false
		}
	}
	return bucket(len(parents)) == s.cache[0].Shape().Dim(0)
}

// check refuses what the graph would silently read outside of its tables.
func (s *Session) check(tokens, parents []int) error {
	switch {
	case s.cache == nil:
		return fmt.Errorf("clipcap: next token before the prefix")
	case len(tokens) == 0 || len(tokens) != len(parents):
		return fmt.Errorf("clipcap: %d tokens for %d parents", len(tokens), len(parents))
	case s.position >= s.end:
		return fmt.Errorf("clipcap: no room for a token at position %d", s.position)
	}
	for i, token := range tokens {
		if token < 0 || token >= s.generator.gpt.VocabSize {
			return fmt.Errorf("clipcap: token %d is outside of the vocabulary of %d", token, s.generator.gpt.VocabSize)
		}
		if parents[i] < 0 || parents[i] >= s.rows {
			return fmt.Errorf("clipcap: parent %d of %d rows", parents[i], s.rows)
		}
	}
	return nil
}

// padInts fills up to the bucket with zeros: rows that nobody reads.
func padInts(values []int) *tensors.Tensor {
	padded := make([]int32, bucket(len(values)))
	for i, v := range values {
		padded[i] = int32(v)
	}
	return tensors.FromFlatDataAndDimensions(padded, len(padded))
}

// Hidden returns the hidden states that the last logits were read from, of width D.
func (s *Session) Hidden() [][]float32 { return s.hidden }

// read splits the logits [N, V] and hidden states [N, D] into their first rows.
func (s *Session) read(out []*tensors.Tensor, rows int) (logits [][]float32, err error) {
	s.rows = rows
	if logits, err = firstRows(out[0], rows); err != nil {
		return nil, fmt.Errorf("clipcap: logits: %w", err)
	}
	if s.hidden, err = firstRows(out[1], rows); err != nil {
		return nil, fmt.Errorf("clipcap: hidden states: %w", err)
	}
	return logits, nil
}

func firstRows(t *tensors.Tensor, rows int) ([][]float32, error) {
	if t.DType() != dtypes.Float32 {
		return nil, fmt.Errorf("they are %s", t.DType())
	}
	flat, err := tensors.CopyFlatData[float32](t)
	if err != nil {
		return nil, err
	}
	width := t.Shape().Dim(1)
	out := make([][]float32, rows)
	for i := range out {
		out[i] = flat[i*width : (i+1)*width]
	}
	return out, t.FinalizeAll()
}

// Close gives the session's memory back.
func (s *Session) Close() {
	// An engine may hold its copy outside of the memory that Go collects.
	_ = s.input.FinalizeAll()
	s.release()
}

func (s *Session) release() {
	for _, t := range s.cache {
		// The tensors live in the engine's memory; a failure to free one leaves it to
		// the garbage collector.
		_ = t.FinalizeAll()
	}
	s.cache = nil
}
