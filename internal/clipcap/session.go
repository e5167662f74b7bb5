package clipcap

import (
	"context"
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
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
	args      []any // of the last call, whose memory the next uses again
	logits    rows
	hidden    rows
	sums      rows // the largest logit, and the sum of exponentials beside it
}

// Prefill reads the prefixes and returns the logits of each first token, one row
// of width V per sequence, which the next call overwrites.
func (s *Session) Prefill(ctx context.Context) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out, err := s.generator.prefill.Call(s.input)
	if err != nil {
		return nil, fmt.Errorf("clipcap: reading the prefix: %w", err)
	}
	s.release()
	s.cache = append(s.cache, out[told:]...)
	s.position, s.room = s.prefix, s.generator.room(s.prefix)
	return s.read(out, s.sequences)
}

// grow gives the cache room for the next position, and for some after it.
func (s *Session) grow() error {
	s.room = s.generator.room(s.position)
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
// row of logits per token, which the next call overwrites.
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
	graph := s.generator.next
	if s.args = s.args[:0]; !s.inPlace(parents) {
		graph, s.args = s.generator.branch, append(s.args, padInts(parents))
	}
	s.args = append(s.args, padInts(tokens), int32(s.position))
	out, err := s.call(graph)
	if err != nil {
		return nil, fmt.Errorf("clipcap: next token: %w", err)
	}
	s.cache = append(s.cache[:0], out[told:]...)
	s.position++
	return s.read(out, len(tokens))
}

// call runs a graph on the arguments and the cache, which it takes.
func (s *Session) call(graph *model.Exec) ([]*tensors.Tensor, error) {
	integers := len(s.args)
	defer func() {
		for _, arg := range s.args[:integers] {
			if t, ok := arg.(*tensors.Tensor); ok {
				_ = t.FinalizeAll() // see release
			}
		}
		clear(s.args)
	}()
	for _, t := range s.cache {
		donated, err := DonateTensorBuffer(t, s.generator.engine, 0)
		if err != nil {
			return nil, fmt.Errorf("cache: %w", err)
		}
		s.args = append(s.args, donated)
	}
	s.cache = s.cache[:0]
	return graph.Call(s.args...)
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
	case len(s.cache) == 0:
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

// Hidden returns the hidden states that the last logits were read from, of width D; the
// next call overwrites them.
func (s *Session) Hidden() [][]float32 { return s.hidden.each }

// Normalizers returns log Σ exp(logit) of each row of the last logits.
func (s *Session) Normalizers() []float64 {
	normalizers := make([]float64, len(s.sums.each))
	for i, row := range s.sums.each {
		normalizers[i] = float64(row[0]) + math.Log(float64(row[1]))
	}
	return normalizers
}

// read splits what is told of the next token into its first rows.
func (s *Session) read(out []*tensors.Tensor, n int) (logits [][]float32, err error) {
	s.rows = n
	if err := s.logits.read(s.generator.engine, out[0], n); err != nil {
		return nil, fmt.Errorf("clipcap: logits: %w", err)
	}
	if err := s.hidden.read(s.generator.engine, out[1], n); err != nil {
		return nil, fmt.Errorf("clipcap: hidden states: %w", err)
	}
	if err := s.sums.read(s.generator.engine, out[2], n); err != nil {
		return nil, fmt.Errorf("clipcap: normalizers: %w", err)
	}
	return s.logits.each, nil
}

// rows are a tensor's first rows, in memory that each call of read uses again.
type rows struct {
	flat []float32
	each [][]float32
}

// read takes n rows of t [N, W], which it finalizes. A copy by the tensor itself would be
// made twice, in new memory each time.
func (r *rows) read(engine compute.Backend, t *tensors.Tensor, n int) error {
	if t.DType() != dtypes.Float32 {
		return fmt.Errorf("they are %s", t.DType())
	}
	buffer, err := t.Buffer(engine, 0)
	if err != nil {
		return err
	}
	width, size := t.Shape().Dim(1), t.Shape().Size()
	if cap(r.flat) < size {
		r.flat = make([]float32, size)
	}
	if err := buffer.ToFlatData(r.flat[:size]); err != nil {
		return err
	}
	r.each = r.each[:0]
	for i := range n {
		r.each = append(r.each, r.flat[i*width:(i+1)*width])
	}
	return t.FinalizeAll()
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
	s.cache = s.cache[:0]
}
