package zerocap

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/gpt2"
)

// Writer begins texts on a language model. It is safe for concurrent use.
type Writer struct {
	network
	plain, shifted, descend *model.Exec
}

// NewWriter prepares the language model below clipcap.GPTScope in store.
func NewWriter(engine compute.Backend, store *model.Store, gpt gpt2.Config, c Config) (*Writer, error) {
	if err := gpt.Validate(); err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	w := &Writer{network: network{gpt.WithoutDropout(), c}}
	var err error
	if w.plain, err = model.NewExec(engine, store, w.network.plain); err == nil {
		w.shifted, err = model.NewExec(engine, store, w.network.shifted)
	}
	if err == nil {
		w.descend, err = model.NewExec(engine, store, w.network.descend)
	}
	if err != nil {
		return nil, fmt.Errorf("zerocap: %w", err)
	}
	for _, graph := range []*model.Exec{w.plain, w.shifted, w.descend} {
		graph.SetMaxCache(-1) // rows come in powers of 2, and texts in one length a session
	}
	return w, nil
}

// Session is one batch of texts in the making, as package decode searches them.
type Session struct {
	w        *Writer
	prompt   []int
	room     int // positions
	stop     []int
	guide    decode.Guide
	texts    [][]int // what each row has behind the prompt
	sequence []int   // that each row is of
}

// Start begins a text for each of n photos behind a prompt of two tokens or more: before
// the first there is nothing to shift. stop are the tokens that end a text, of so many
// tokens at most. guide tells the cosines of photo i with texts, which begin with the
// prompt.
func (w *Writer) Start(n int, prompt, stop []int, maxTokens int, guide decode.Guide) (*Session, error) {
	room := len(prompt) + maxTokens - 1 // the last token is not read
	if len(prompt) < 2 || maxTokens < 1 || room > w.gpt.Positions {
		return nil, fmt.Errorf("zerocap: a prompt of %d and texts of %d tokens, want 2 or more and 1 or more, and room for both in %d positions", len(prompt), maxTokens, w.gpt.Positions)
	}
	s := &Session{w: w, prompt: prompt, room: room, stop: stop, guide: guide}
	for i := range n {
		s.texts, s.sequence = append(s.texts, nil), append(s.sequence, i)
	}
	return s, nil
}

// Prefill returns the logits of the texts' first tokens.
func (s *Session) Prefill(ctx context.Context) ([][]float32, error) { return s.logits(ctx) }

// Next continues row parents[i] of the last logits with tokens[i].
func (s *Session) Next(ctx context.Context, tokens, parents []int) ([][]float32, error) {
	texts, sequence := make([][]int, len(tokens)), make([]int, len(tokens))
	for i, token := range tokens {
		texts[i] = append(slices.Clip(s.texts[parents[i]]), token)
		sequence[i] = s.sequence[parents[i]]
	}
	s.texts, s.sequence = texts, sequence
	return s.logits(ctx)
}

// logits are those of p* for each row.
func (s *Session) logits(ctx context.Context) ([][]float32, error) {
	call, err := s.read()
	if err != nil {
		return nil, err
	}
	defer call.free()
	likeness := make([]map[int]float64, len(s.texts)) // of what was asked for already
	for i := range likeness {
		likeness[i] = make(map[int]float64)
	}
	for range s.w.config.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p, err := call.shifted()
		if err != nil {
			return nil, err
		}
		q, err := s.wanted(ctx, p, likeness)
		if err != nil {
			return nil, err
		}
		if err := call.descend(q); err != nil {
			return nil, err
		}
	}
	p, err := call.shifted()
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(s.texts))
	for i := range out {
		out[i] = s.fused(call.row(p, i), call.row(call.p0, i))
	}
	return out, nil
}

// wanted is q for each row of the logits of p: [N, V], flat.
func (s *Session) wanted(ctx context.Context, p []float32, likeness []map[int]float64) ([]float32, error) {
	vocabulary := s.w.gpt.VocabSize
	q := make([]float32, len(p))
	for i, known := range likeness {
		candidates := decode.Top(p[i*vocabulary:(i+1)*vocabulary], s.w.config.Candidates)
		var ask []int
		var texts [][]int
		for _, token := range candidates {
			if _, ok := known[token]; !ok {
				ask = append(ask, token)
				texts = append(texts, append(slices.Concat(s.prompt, s.texts[i]), token))
			}
		}
		if len(ask) > 0 {
			cosines, err := s.guide(ctx, s.sequence[i], texts)
			if err != nil {
				return nil, err
			}
			for j, token := range ask {
				known[token] = cosines[j]
			}
		}
		most, sum := math.Inf(-1), 0.0
		for _, token := range candidates {
			most = max(most, known[token])
		}
		for _, token := range candidates {
			sum += math.Exp((known[token] - most) / s.w.config.Temperature)
		}
		for _, token := range candidates {
			q[i*vocabulary+token] = float32(math.Exp((known[token]-most)/s.w.config.Temperature) / sum)
		}
	}
	return q, nil
}

// fused is (5), as logits, of those of p and p₀.
func (s *Session) fused(p, p0 []float32) []float32 {
	edited := slices.Clone(p)
	factor := s.w.config.EndFactor
	if len(s.texts[0]) == 0 {
		factor = 1 / s.w.config.StartFactor
	}
	for _, id := range s.stop {
		if edited[id] > 0 {
			edited[id] = float32(float64(edited[id]) * factor)
		} else {
			edited[id] = float32(float64(edited[id]) / factor)
		}
	}
	logP, logP0, share := logSum(edited), logSum(p0), s.w.config.Fusion
	out := make([]float32, len(p))
	for v := range out {
		out[v] = float32(share*(float64(edited[v])-logP) + (1-share)*(float64(p0[v])-logP0))
	}
	return out
}

// logSum is log Σ exp(logit).
func logSum(row []float32) float64 {
	most, sum := float64(slices.Max(row)), 0.0
	for _, v := range row {
		sum += math.Exp(float64(v) - most)
	}
	return most + math.Log(sum)
}

// call is what the graphs are asked for one token of each row.
type call struct {
	w        *Writer
	last     []int32 // tokens, of as many rows as graphs are compiled for
	position int32
	p0       []float32 // logits [N, V]
	logits   *tensors.Tensor
	c, delta []*tensors.Tensor
}

// read computes p₀ and C, with Δ at 0.
func (s *Session) read() (*call, error) {
	rows := 1
	for rows < len(s.texts) {
		rows *= 2
	}
	length := len(s.prompt) + len(s.texts[0])
	ids, last := make([]int32, rows*s.room), make([]int32, rows)
	for i, text := range s.texts {
		for j, id := range slices.Concat(s.prompt, text) {
			ids[i*s.room+j], last[i] = int32(id), int32(id)
		}
	}
	k := &call{w: s.w, last: last, position: int32(length - 1)}
	out, err := s.w.plain.Call(tensors.FromFlatDataAndDimensions(ids, rows, s.room), k.position)
	if err != nil {
		return nil, fmt.Errorf("zerocap: %w", err)
	}
	k.logits, k.c = out[0], out[1:]
	for _, t := range k.c {
		k.delta = append(k.delta, tensors.FromShape(t.Shape()))
	}
	k.p0, err = tensors.CopyFlatData[float32](k.logits)
	return k, err
}

func (k *call) arguments() []any {
	out := []any{k.last, k.position}
	for _, t := range slices.Concat(k.c, k.delta) {
		out = append(out, t)
	}
	return out
}

// shifted returns the logits of p: [N, V], flat.
func (k *call) shifted() ([]float32, error) {
	out, err := k.w.shifted.Call1(k.arguments()...)
	if err != nil {
		return nil, fmt.Errorf("zerocap: %w", err)
	}
	defer out.FinalizeAll()
	return tensors.CopyFlatData[float32](out)
}

// descend moves Δ by a step towards q.
func (k *call) descend(q []float32) error {
	rows := len(k.last)
	whole := make([]float32, rows*k.w.gpt.VocabSize)
	copy(whole, q)
	wanted := tensors.FromFlatDataAndDimensions(whole, rows, k.w.gpt.VocabSize)
	out, err := k.w.descend.Call(append([]any{wanted, k.logits}, k.arguments()...)...)
	_ = wanted.FinalizeAll() // it was read
	if err != nil {
		return fmt.Errorf("zerocap: a step of the gradient: %w", err)
	}
	release(k.delta)
	k.delta = out
	return nil
}

func (k *call) row(flat []float32, i int) []float32 {
	return flat[i*k.w.gpt.VocabSize : (i+1)*k.w.gpt.VocabSize]
}

func (k *call) free() { release(slices.Concat([]*tensors.Tensor{k.logits}, k.c, k.delta)) }

// release gives tensors back; that one cannot be freed fails nothing.
func release(list []*tensors.Tensor) {
	for _, t := range list {
		_ = t.FinalizeAll()
	}
}
