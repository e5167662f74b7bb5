package clipcap

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/gpt2"
)

// Generator runs a captioner's network token by token on any store, a store under
// training included, as long as no update runs at the same time. It is safe for
// concurrent use.
type Generator struct {
	config  Config
	engine  compute.Backend
	prefill *model.Exec
	next    *model.Exec
}

// NewGenerator prepares the two graphs that decoding needs: one reads the prefix,
// one reads a token. Variables are looked up in store when a graph runs, so a
// caption follows the latest update.
func NewGenerator(engine compute.Backend, store *model.Store, c Config) (*Generator, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	g := &Generator{config: c, engine: engine}
	var err error
	if g.prefill, err = model.NewExec(engine, store, g.prefillGraph); err != nil {
		return nil, fmt.Errorf("clipcap: prefill: %w", err)
	}
	if g.next, err = model.NewExec(engine, store, g.nextGraph); err != nil {
		return nil, fmt.Errorf("clipcap: next token: %w", err)
	}
	// Graphs are cached by shape. Row counts come in a few sizes (see bucket) and
	// rooms in multiples of roomStep, so the cache is bounded by design.
	g.prefill.SetMaxCache(-1)
	g.next.SetMaxCache(-1)
	return g, nil
}

// prefillGraph maps embeddings [B, E] to the logits of the first token [B, V] and
// every layer's keys and values [B, K, H, d].
func (g *Generator) prefillGraph(root *model.Scope, embedding *Node) []*Node {
	c, gpt := g.config, g.config.gptScope(root)
	hidden, kv := c.GPT.Hidden(gpt, c.Prefix(root, embedding))
	last := Slice(hidden, AxisRange(), AxisRangeToEnd(c.Mapper.PrefixLength-1))
	return append([]*Node{c.rowLogits(gpt, last)}, flatten(kv)...)
}

// nextGraph reads one token per row. Its inputs are tokens [N], the rows of the
// cache that they continue [N], their position, and the cache [M, room, H, d]; its
// outputs the logits [N, V] and the cache [N, room, H, d].
func (g *Generator) nextGraph(root *model.Scope, inputs []*Node) []*Node {
	c, gpt := g.config, g.config.gptScope(root)
	tokens, parents, position := inputs[0], inputs[1], inputs[2]
	past := make([]gpt2.KV, c.GPT.Layers)
	for i := range past {
		past[i] = gpt2.KV{
			Keys:   Gather(inputs[3+2*i], InsertAxes(parents, -1)),
			Values: Gather(inputs[4+2*i], InsertAxes(parents, -1)),
		}
	}
	x := c.GPT.Embed(gpt, InsertAxes(tokens, -1))
	hidden, kv := c.GPT.Next(gpt, x, position, past)
	return append([]*Node{c.rowLogits(gpt, hidden)}, flatten(kv)...)
}

// rowLogits maps the hidden states [N, 1, D] of one position to logits [N, V].
func (c Config) rowLogits(gpt *model.Scope, hidden *Node) *Node {
	return c.GPT.Logits(gpt, Reshape(hidden, hidden.Shape().Dim(0), c.GPT.Width))
}

func flatten(kv []gpt2.KV) []*Node {
	nodes := make([]*Node, 0, 2*len(kv))
	for _, layer := range kv {
		nodes = append(nodes, layer.Keys, layer.Values)
	}
	return nodes
}

// Start begins captions for embeddings, each of width E, of at most maxTokens
// tokens. The session is for one goroutine.
func (g *Generator) Start(embeddings [][]float32, maxTokens int) (*Session, error) {
	width := g.config.Mapper.ClipWidth
	for i, e := range embeddings {
		if len(e) != width {
			return nil, fmt.Errorf("clipcap: embedding %d has width %d, the mapper reads %d", i, len(e), width)
		}
	}
	need := g.config.Mapper.PrefixLength + maxTokens
	if need > g.config.GPT.Positions {
		return nil, fmt.Errorf("clipcap: a prefix of %d and %d tokens exceed the language model's %d positions",
			g.config.Mapper.PrefixLength, maxTokens, g.config.GPT.Positions)
	}
	room := min((need+roomStep-1)/roomStep*roomStep, g.config.GPT.Positions)
	return &Session{generator: g, embeddings: embeddings, room: room}, nil
}

// roomStep is the granularity of cache lengths, in positions.
const roomStep = 32

// bucket rounds a number of rows up to one that graphs are compiled for: 2ⁿ or
// 5·2ⁿ, the latter for beams of five.
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

// Session is one batch of captions in the making. It implements the language
// model that package decode searches.
type Session struct {
	generator  *Generator
	embeddings [][]float32
	room       int // positions that the cache has
	position   int // of the next token
	rows       int // that the last logits had
	cache      []*tensors.Tensor
}

// Prefill reads the prefixes and returns the logits of each first token, one row
// of width V per embedding.
func (s *Session) Prefill(ctx context.Context) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := s.generator.config
	rows := bucket(len(s.embeddings))
	flat := make([]float32, rows*c.Mapper.ClipWidth)
	for i, e := range s.embeddings {
		copy(flat[i*c.Mapper.ClipWidth:], e)
	}
	input := tensors.FromFlatDataAndDimensions(flat, rows, c.Mapper.ClipWidth)
	out, err := s.generator.prefill.Call(input)
	// An engine may hold its copy outside of the memory that Go collects.
	_ = input.FinalizeAll()
	if err != nil {
		return nil, fmt.Errorf("clipcap: reading the prefix: %w", err)
	}
	s.release()
	s.position = c.Mapper.PrefixLength
	for _, t := range out[1:] {
		padded, err := padPositions(t, s.room)
		if err != nil {
			return nil, fmt.Errorf("clipcap: cache: %w", err)
		}
		s.cache = append(s.cache, padded)
	}
	return s.logits(out[0], len(s.embeddings))
}

// padPositions copies a cache [N, K, H, d] into a zeroed one with room positions.
func padPositions(t *tensors.Tensor, room int) (*tensors.Tensor, error) {
	dims := t.Shape().Dimensions
	row, length := dims[2]*dims[3], dims[1]
	padded := make([]float32, dims[0]*room*row)
	err := tensors.ConstFlatData(t, func(flat []float32) {
		for n := range dims[0] {
			copy(padded[n*room*row:], flat[n*length*row:(n+1)*length*row])
		}
	})
	if err != nil {
		return nil, err
	}
	return tensors.FromFlatDataAndDimensions(padded, dims[0], room, dims[2], dims[3]), t.FinalizeAll()
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
	ids, rows := padInts(tokens), padInts(parents)
	args := []any{ids, rows, int32(s.position)}
	for _, t := range s.cache {
		donated, err := DonateTensorBuffer(t, s.generator.engine, 0)
		if err != nil {
			return nil, fmt.Errorf("clipcap: cache: %w", err)
		}
		args = append(args, donated)
	}
	s.cache = nil
	out, err := s.generator.next.Call(args...)
	_, _ = ids.FinalizeAll(), rows.FinalizeAll()
	if err != nil {
		return nil, fmt.Errorf("clipcap: next token: %w", err)
	}
	s.cache = out[1:]
	s.position++
	return s.logits(out[0], len(tokens))
}

// check refuses what the graph would silently read outside of its tables.
func (s *Session) check(tokens, parents []int) error {
	switch {
	case s.cache == nil:
		return fmt.Errorf("clipcap: next token before the prefix")
	case len(tokens) == 0 || len(tokens) != len(parents):
		return fmt.Errorf("clipcap: %d tokens for %d parents", len(tokens), len(parents))
	case s.position >= s.room:
		return fmt.Errorf("clipcap: no room for a token at position %d", s.position)
	}
	for i, token := range tokens {
		if token < 0 || token >= s.generator.config.GPT.VocabSize {
			return fmt.Errorf("clipcap: token %d is outside of the vocabulary of %d", token, s.generator.config.GPT.VocabSize)
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

// logits splits a tensor [N, V] into its first rows.
func (s *Session) logits(t *tensors.Tensor, rows int) ([][]float32, error) {
	if t.DType() != dtypes.Float32 {
		return nil, fmt.Errorf("clipcap: logits are %s", t.DType())
	}
	s.rows = rows
	flat, err := tensors.CopyFlatData[float32](t)
	if err != nil {
		return nil, fmt.Errorf("clipcap: logits: %w", err)
	}
	width := t.Shape().Dim(1)
	out := make([][]float32, rows)
	for i := range out {
		out[i] = flat[i*width : (i+1)*width]
	}
	return out, t.FinalizeAll()
}

// Close gives the cache's memory back.
func (s *Session) Close() { s.release() }

func (s *Session) release() {
	for _, t := range s.cache {
		// The tensors live in the engine's memory; a failure to free one leaves it to
		// the garbage collector.
		_ = t.FinalizeAll()
	}
	s.cache = nil
}
