package recipe

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/tokenizer"
)

// DeCap trains a decoder from scratch to tell captions from their embeddings by a frozen
// CLIP, and keeps the captions as a memory that photos are projected onto.
type DeCap struct {
	Name        string             `json:"name"`
	CLIP        string             `json:"clip"` // model folder; empty: the model in this program
	Data        TextData           `json:"data"`
	Embeddings  string             `json:"embeddings,omitempty"` // of the captions, one each: a file of cutline convert --embeddings, in the place of embedding them
	Network     gpt2.Config        `json:"network"`              // vocab_size 0: as many as CLIP has tokens. Paper: 4 layers of width 768
	Length      int                `json:"length"`               // tokens that it writes unasked; paper: 30
	Memory      int                `json:"memory"`               // captions that are kept, from the first; paper: up to 500,000
	Temperature float64            `json:"inverse_temperature"`  // of the projection; paper's code: 100
	Batch       int                `json:"batch"`                // captions an update; paper: 128
	Method      method.DeCapConfig `json:"method"`
	Epochs      float64            `json:"epochs,omitempty"` // in the place of the optimizer's updates; paper: 10
	Pace        Pace               `json:"pace"`
	Val         Val                `json:"val,omitzero"`
	Seed        int64              `json:"seed"`
	Half        bool               `json:"half"`  // store the networks in fp16
	Align       modelfolder.Align  `json:"align"` // what is done to photos unasked; paper: memory
}

// Train runs the recipe and writes a model folder to run.Out. A run that was stopped
// goes on where it was.
func (c DeCap) Train(ctx context.Context, run Run) error {
	if err := modelfolder.Writable(run.Out); err != nil {
		return err
	}
	captions, err := c.Data.captions(false)
	if err != nil {
		return err
	}
	folder, err := openPart(c.CLIP)
	if err != nil {
		return err
	}
	defer folder.Close()
	if folder.Config.CLIP == nil {
		return fmt.Errorf("%s: holds a %s, want a CLIP", c.CLIP, folder.Config.Kind())
	}
	encode, end, err := clipTokens(folder.CLIPTokenizer)
	if err != nil {
		return err
	}
	// As the authors' code does, which would not embed them either.
	if captions = slices.DeleteFunc(captions, func(text string) bool { return len(encode(text)) > folder.Config.CLIP.Text.ContextLength }); len(captions) == 0 {
		return fmt.Errorf("no caption fits CLIP's context of %d tokens: captions are a sentence a line", folder.Config.CLIP.Text.ContextLength)
	}
	if c.Method.Optimizer.Updates, err = resolveUpdates(c.Method.Optimizer.Updates, c.Epochs, len(captions), c.Batch); err != nil {
		return err
	}
	c.Epochs, c.Val = 0, c.Val.of(Data{})
	if c.Network.VocabSize == 0 {
		c.Network.VocabSize = folder.CLIPTokenizer.Size()
	}
	examples := len(captions)
	if run.Forecast != nil {
		captions = limited(captions, c.Batch) // nothing is embedded, so a batch is enough
	}
	return c.learn(ctx, run, folder, captions, examples, encode, end)
}

// clipTokens returns how CLIP's tokenizer encodes a text with the tokens around it, and
// the one at its end.
func clipTokens(t *tokenizer.BPE) (encode func(string) []int, end int, err error) {
	start, ok := t.ID("<|startoftext|>")
	end, ends := t.ID("<|endoftext|>")
	if !ok || !ends {
		return nil, 0, errors.New("CLIP's tokenizer has no start and end tokens")
	}
	return func(text string) []int { return append(append([]int{start}, t.Encode(text)...), end) }, end, nil
}

func (c DeCap) learn(ctx context.Context, run Run, folder *modelfolder.Folder, captions []string, examples int, encode func(string) []int, end int) error {
	embedder, err := newEmbedder(run, folder)
	if err != nil {
		return err
	}
	embeddings, err := embedder.textsOr(ctx, c.Embeddings, captions, examples)
	if err != nil {
		return err
	}
	defer embeddings.Close()
	network := clipcap.Config{
		Mapper:    mapper.Config{Kind: mapper.KindLinear, ClipWidth: folder.Config.CLIP.EmbedDim, PrefixLength: 1, Width: c.Network.Width},
		GPT:       c.Network,
		Normalize: true,
	}
	if err := network.Validate(); err != nil {
		return err
	}
	if err := fits(network, max(c.Method.MaxTokens, c.Length)); err != nil {
		return err
	}
	store := newStore(c.Seed)
	learner, err := method.NewDeCap(run.Engine, store, network, c.Method)
	if err != nil {
		return err
	}
	judge, err := newTextsJudge(ctx, embedder, c.Val, folder.CLIPTokenizer, encode, c.Batch)
	if err != nil {
		return err
	}
	defer judge.close()
	if err := judge.watch(run.Engine, store, network, learner.Loss, greedy([]int{end}, c.Length)); err != nil {
		return err
	}
	source := &batches.Pairs{
		Records: alone(captions), Embeddings: embeddings, Views: 1, Encode: encode, Size: c.Batch, Seed: uint64(c.Seed),
	}
	return learn(ctx, run, job[method.Pairs]{
		config: c, pace: c.Pace, updates: c.Method.Optimizer.Updates, size: c.Batch, examples: examples, diverge: diverge,
		store: store, method: learner, batch: source.Batch, val: c.Val.plan(judge.evaluate),
		write: func(o train.Outcome) error {
			// Its decoder speaks in CLIP's tokens.
			m, err := (&parts{folder, folder}).model(store, network, c.Half)
			if err != nil {
				return err
			}
			m.GPTTokenizer, m.Config.StopTokens, m.Config.MaxTokens = folder.CLIPTokenizer, []int{end}, c.Length
			m.Config.Name, m.Config.Align = c.Name, c.Align
			return c.write(run.Out, m, captions, embeddings, o, judge.labelled)
		},
	})
}

func (c DeCap) write(out string, m modelfolder.Model, captions []string, embeddings *dataset.Embeddings, o train.Outcome, labelled bool) error {
	kept := limited(captions, c.Memory)
	var err error
	if m.Memory, err = modelfolder.NewMemory(kept, embeddings.Block(0, len(kept))); err != nil {
		return err
	}
	m.Config.Memory = &modelfolder.MemoryConfig{Texts: len(kept), Temperature: c.Temperature}
	if m.Run, err = runJSON(c, o, labelled, slices.Concat(c.Data.Text, c.Val.files(), named(c.Embeddings))...); err != nil {
		return err
	}
	return modelfolder.Write(out, m)
}
