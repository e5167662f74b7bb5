package clipcap

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/gpt2"
)

// Generator runs a captioner's network, or a language model alone, token by token on
// any store, a store under training included, as long as no update runs at the same
// time. It is safe for concurrent use.
type Generator struct {
	gpt     gpt2.Config
	width   int // E of the embeddings that texts begin with; 0: they begin with tokens
	length  int // K of the prefix; 0: as many as the tokens
	engine  compute.Backend
	prefill *model.Exec
	next    *model.Exec // each row of the cache goes on where it is
	branch  *model.Exec // rows go on that are taken from parents
}

// NewGenerator prepares the graphs that decoding needs: one reads the prefix, two read
// a token. Variables are looked up in store when a graph runs, so a
// caption follows the latest update.
func NewGenerator(engine compute.Backend, store *model.Store, c Config) (*Generator, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	g := &Generator{gpt: c.GPT, width: c.Mapper.ClipWidth, length: c.Begin(), engine: engine}
	return g, g.prepare(store, c.Prefix)
}

// NewTextGenerator prepares the language model below [GPTScope] to go on with texts.
func NewTextGenerator(engine compute.Backend, store *model.Store, gpt gpt2.Config) (*Generator, error) {
	if err := gpt.Validate(); err != nil {
		return nil, err
	}
	g := &Generator{gpt: gpt, engine: engine}
	return g, g.prepare(store, func(root *model.Scope, ids *Node) *Node { return gpt.Embed(gptScope(root), ids) })
}

// prepare builds the graphs; prefix maps what texts begin with to [B, K, D].
func (g *Generator) prepare(store *model.Store, prefix func(root *model.Scope, input *Node) *Node) (err error) {
	read := func(root *model.Scope, input *Node) []*Node { return g.prefillGraph(root, prefix(root, input)) }
	if g.prefill, err = model.NewExec(g.engine, store, read); err != nil {
		return fmt.Errorf("clipcap: prefill: %w", err)
	}
	if g.next, err = model.NewExec(g.engine, store, g.nextGraph); err != nil {
		return fmt.Errorf("clipcap: next token: %w", err)
	}
	if g.branch, err = model.NewExec(g.engine, store, g.branchGraph); err != nil {
		return fmt.Errorf("clipcap: next token: %w", err)
	}
	for _, graphs := range []*model.Exec{g.prefill, g.next, g.branch} {
		// Graphs are cached by shape. Row counts come in a few sizes (see bucket) and
		// rooms in multiples of roomStep, so the cache is bounded by design.
		graphs.SetMaxCache(-1)
	}
	return nil
}

// prefillGraph maps prefixes [B, K, D] to what is told of the first token, see heads, and
// every layer's keys and values [B, H, room, d], of which the first K positions are theirs.
func (g *Generator) prefillGraph(root *model.Scope, prefix *Node) []*Node {
	gpt := gptScope(root)
	last, kv := g.gpt.Last(gpt, prefix)
	out := append(g.heads(gpt, last), flatten(kv)...)
	for i, cache := range out[told:] {
		if dims := cache.Shape().Dimensions; g.room(dims[2]) > dims[2] {
			later := Zeros(cache.Graph(), shapes.Make(cache.DType(), dims[0], dims[1], g.room(dims[2])-dims[2], dims[3]))
			out[told+i] = Concatenate([]*Node{cache, later}, 2)
		}
	}
	return out
}

// nextGraph reads one token per row. Its inputs are tokens [N], their position and the
// cache [N, H, room, d]; its outputs what is told of the next token, and the cache.
func (g *Generator) nextGraph(root *model.Scope, inputs []*Node) []*Node {
	gpt := gptScope(root)
	past := make([]gpt2.KV, g.gpt.Layers)
	for i := range past {
		past[i] = gpt2.KV{Keys: inputs[2+2*i], Values: inputs[3+2*i]}
	}
	x := g.gpt.Embed(gpt, InsertAxes(inputs[0], -1))
	hidden, kv := g.gpt.Next(gpt, x, inputs[1], past)
	return append(g.heads(gpt, hidden), flatten(kv)...)
}

// branchGraph is nextGraph for rows that continue others: its inputs begin with the rows
// of the cache [M, H, room, d] that go on [N].
func (g *Generator) branchGraph(root *model.Scope, inputs []*Node) []*Node {
	parents, inputs := InsertAxes(inputs[0], -1), inputs[1:]
	for i := 2; i < len(inputs); i++ {
		inputs[i] = Gather(inputs[i], parents)
	}
	return g.nextGraph(root, inputs)
}

// told is how many outputs heads makes.
const told = 3

// heads maps the hidden states [N, 1, D] of one position to logits [N, V], and returns
// these, the states as [N, D], and for each row its largest logit and Σ exp(logit − largest)
// [N, 2].
func (g *Generator) heads(gpt *model.Scope, hidden *Node) []*Node {
	hidden = Reshape(hidden, hidden.Shape().Dim(0), g.gpt.Width)
	logits := g.gpt.Logits(gpt, hidden)
	largest := ReduceAndKeep(logits, ReduceMax, -1)
	sum := ReduceAndKeep(Exp(Sub(logits, largest)), ReduceSum, -1)
	return []*Node{logits, hidden, Concatenate([]*Node{largest, sum}, -1)}
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
	for i, e := range embeddings {
		if len(e) != g.width || g.width == 0 {
			return nil, fmt.Errorf("clipcap: embedding %d has width %d, the mapper reads %d", i, len(e), g.width)
		}
	}
	rows := bucket(len(embeddings))
	flat := make([]float32, rows*g.width)
	for i, e := range embeddings {
		copy(flat[i*g.width:], e)
	}
	return g.start(tensors.FromFlatDataAndDimensions(flat, rows, g.width), len(embeddings), g.length, maxTokens)
}

// StartTexts goes on with texts, equally long and not empty, by at most maxTokens
// tokens each. The session is for one goroutine.
func (g *Generator) StartTexts(texts [][]int, maxTokens int) (*Session, error) {
	if g.width != 0 || len(texts) == 0 || len(texts[0]) == 0 {
		return nil, fmt.Errorf("clipcap: %d texts to go on with, for a language model alone", len(texts))
	}
	rows, length := bucket(len(texts)), len(texts[0])
	flat := make([]int32, rows*length)
	for i, text := range texts {
		if len(text) != length {
			return nil, fmt.Errorf("clipcap: text %d has %d tokens, the first has %d", i, len(text), length)
		}
		for j, token := range text {
			if token < 0 || token >= g.gpt.VocabSize {
				return nil, fmt.Errorf("clipcap: token %d is outside of the vocabulary of %d", token, g.gpt.VocabSize)
			}
			flat[i*length+j] = int32(token)
		}
	}
	return g.start(tensors.FromFlatDataAndDimensions(flat, rows, length), len(texts), length, maxTokens)
}

func (g *Generator) start(input *tensors.Tensor, sequences, prefix, maxTokens int) (*Session, error) {
	need := prefix + maxTokens
	if need > g.gpt.Positions {
		return nil, fmt.Errorf("clipcap: a prefix of %d and %d tokens exceed the language model's %d positions", prefix, maxTokens, g.gpt.Positions)
	}
	return &Session{generator: g, input: input, sequences: sequences, prefix: prefix, end: need}, nil
}

// roomStep is the granularity of cache lengths, in positions: a step costs as much as the
// cache has room, and a copy of the cache gives it more.
const roomStep = 32

// room is how many positions a cache has that is to take one more than so many.
func (g *Generator) room(positions int) int {
	return min((positions/roomStep+1)*roomStep, g.gpt.Positions)
}

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
