package method

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/train"
)

// episodes are texts with what is to be learned from them. All but photos and learns is
// [B, T], T being the tokens of the longest prompt and of a text.
type episodes struct {
	photos    [][]float32 // [B, E]
	tokens    [][]int32   // prompt and text, padded
	counted   [][]float32 // 1 for the tokens of the text
	logProb   [][]float32 // log π_old
	reference [][]float32 // log π_ref
	value     [][]float32 // V_old
	advantage [][]float32 // Â
	target    [][]float32 // V̂
	learns    float32     // 1, or 0 while the captioner only keeps to the language model
}

// Step runs one batch: it draws texts, and then moves both models by them several times.
// What it draws is a function of the seed, the update's number and the weights.
func (m *ESPER) Step(ctx context.Context, update int, batch Prompted) (train.Losses, error) {
	if len(batch.Photos)%m.config.Minibatches != 0 {
		return nil, fmt.Errorf("esper: a batch of %d photos has no %d equal minibatches", len(batch.Photos), m.config.Minibatches)
	}
	texts, err := m.write(ctx, update, batch)
	if err != nil {
		return nil, err
	}
	e, err := m.observe(batch, texts)
	if err != nil {
		return nil, err
	}
	if update >= m.config.After {
		e.learns = 1
	}
	parts, err := m.judge(ctx, &e, batch, texts)
	if err != nil {
		return nil, err
	}
	losses, err := m.move(ctx, update, e)
	return append(losses, parts...), err
}

// write draws a text behind each prompt: [B][m].
func (m *ESPER) write(ctx context.Context, update int, batch Prompted) ([][]int, error) {
	texts := make([][]int, len(batch.Photos))
	for length := 1; length <= m.config.PromptTokens; length++ {
		var rows []int // whose prompts have that length, so that they stand at the same places
		for i, prompt := range batch.Prompts {
			if len(prompt) == length {
				rows = append(rows, i)
			}
		}
		if len(rows) == 0 {
			continue
		}
		options := m.search(update, len(batch.Photos))
		options.Seed += uint64(rows[0])
		found, err := m.draw(ctx, update, options, batch, rows)
		if lost := divergedBy(err, update); lost != nil {
			return nil, lost
		}
		for j, hypotheses := range found {
			texts[rows[j]] = hypotheses[0].Tokens
		}
	}
	for i, text := range texts {
		if len(text) != m.config.Tokens {
			return nil, fmt.Errorf("esper: a text of %d tokens behind a prompt of %d, want %d behind 1 to %d", len(text), len(batch.Prompts[i]), m.config.Tokens, m.config.PromptTokens)
		}
	}
	return texts, nil
}

func (m *ESPER) draw(ctx context.Context, update int, options decode.Options, batch Prompted, rows []int) ([][]decode.Hypothesis, error) {
	photos, prompts := make([][]float32, len(rows)), make([][]int, len(rows))
	for j, i := range rows {
		photos[j], prompts[j] = batch.Photos[i], batch.Prompts[i]
	}
	if update < m.config.After {
		session, err := m.reference.StartTexts(prompts, options.MaxLength)
		if err != nil {
			return nil, err
		}
		defer session.Close()
		return decode.Search(ctx, session, options)
	}
	session, err := m.generator.Start(photos, len(prompts[0])+options.MaxLength)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	return decode.Search(ctx, prompting{session, prompts}, options)
}

// prompting is a language model that reads a prompt, of one length for all rows, first.
type prompting struct {
	decode.LanguageModel
	prompts [][]int
}

// Prefill reads the prompts after what stands before them.
func (p prompting) Prefill(ctx context.Context) ([][]float32, error) {
	logits, err := p.LanguageModel.Prefill(ctx)
	parents := make([]int, len(p.prompts))
	for i := range parents {
		parents[i] = i
	}
	for t := 0; err == nil && t < len(p.prompts[0]); t++ {
		tokens := make([]int, len(p.prompts))
		for i, prompt := range p.prompts {
			tokens[i] = prompt[t]
		}
		logits, err = p.Next(ctx, tokens, parents)
	}
	return logits, err
}

// observe is what both models and the language model make of texts.
func (m *ESPER) observe(batch Prompted, texts [][]int) (episodes, error) {
	length := m.config.PromptTokens + m.config.Tokens
	e := episodes{photos: batch.Photos}
	for i, prompt := range batch.Prompts {
		tokens, counted := make([]int32, length), make([]float32, length)
		for t, id := range slices.Concat(prompt, texts[i]) {
			tokens[t] = int32(id)
			if t >= len(prompt) {
				counted[t] = 1
			}
		}
		e.tokens, e.counted = append(e.tokens, tokens), append(e.counted, counted)
	}
	size := len(batch.Photos) / m.config.Minibatches
	for from := 0; from < len(batch.Photos); from += size { // as large as the updates' parts
		photos, err := matrix(e.photos[from : from+size])
		if err != nil {
			return e, err
		}
		tokens, err := matrix(e.tokens[from : from+size])
		if err != nil {
			return e, err
		}
		out, err := m.look.Call(photos, tokens)
		if err != nil {
			return e, fmt.Errorf("esper: %w", err)
		}
		for k, rows := range []*[][]float32{&e.logProb, &e.reference, &e.value} {
			flat, err := tensors.CopyFlatData[float32](out[k])
			if err != nil {
				return e, fmt.Errorf("esper: %w", err)
			}
			*rows = slices.AppendSeq(*rows, slices.Chunk(flat, length))
		}
		for _, t := range append(out, photos, tokens) {
			_ = t.FinalizeAll() // they were read
		}
	}
	return e, nil
}

// judge gives e its advantages and targets, by (1) to (3).
func (m *ESPER) judge(ctx context.Context, e *episodes, batch Prompted, texts [][]int) (train.Losses, error) {
	said := make([]string, len(texts))
	for i, text := range texts {
		said[i] = m.words.Say(slices.Concat(batch.Prompts[i], text))
	}
	embeddings, err := m.words.Embed(ctx, said)
	if err != nil {
		return nil, err
	}
	cosines, rewards := make([]float64, len(texts)), make([][]float64, len(texts))
	mean, total, drift := 0.0, 0.0, 0.0
	for i, text := range texts {
		cosines[i] = align.Cosine(batch.Photos[i], embeddings[i])
		from := len(batch.Prompts[i])
		rewards[i] = m.config.Rewards(text, cosines[i], e.logProb[i][from:], e.reference[i][from:], e.learns == 1)
		mean += cosines[i] / float64(len(texts))
		for t, r := range rewards[i] {
			total += r / float64(len(texts))
			drift += float64(e.logProb[i][from+t]-e.reference[i][from+t]) / float64(len(texts))
		}
	}
	values := make([][]float64, len(texts))
	for i := range texts {
		for _, v := range e.value[i][len(batch.Prompts[i]):][:len(texts[i])] {
			values[i] = append(values[i], float64(v))
		}
	}
	advantages, targets := m.config.Advantages(rewards, values)
	for i := range texts {
		a, v := make([]float32, len(e.tokens[i])), make([]float32, len(e.tokens[i]))
		for t := range advantages[i] {
			a[len(batch.Prompts[i])+t], v[len(batch.Prompts[i])+t] = float32(advantages[i][t]), float32(targets[i][t])
		}
		e.advantage, e.target = append(e.advantage, a), append(e.target, v)
	}
	return train.Losses{
		{Name: "cosine", Value: mean}, {Name: "reward", Value: total}, {Name: "drift", Value: drift}, {Name: "distinct", Value: varied(texts)},
	}, nil
}
