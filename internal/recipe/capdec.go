package recipe

import (
	"context"
	"errors"
	"slices"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
)

// CapDec trains a captioner from captions alone, a frozen CLIP and a language model.
type CapDec struct {
	Name          string              `json:"name"`
	CLIP          string              `json:"clip"`           // model folder; empty: the model in this program
	LanguageModel string              `json:"language_model"` // model folder; empty: the model in this program
	Data          TextData            `json:"data"`
	Embeddings    string              `json:"embeddings,omitempty"`     // of the captions, one each: a file of cutline convert --embeddings, in the place of embedding them
	SingleCaption bool                `json:"single_caption,omitempty"` // of a photo's captions, learn from the first alone
	Swap          batches.Swap        `json:"swap,omitempty"`           // gendered words that CLIP reads exchanged, in half of the captions that have any
	Photos        string              `json:"photos,omitempty"`         // photos without captions, a folder, archive or file of embeddings, for their mean
	Offset        bool                `json:"offset,omitempty"`         // add the mean photo minus the mean text; takes photos
	Mapper        mapper.Config       `json:"mapper"`                   // widths 0 stand for those of the models. Paper: transformer, 40 of either token, 8 layers
	Batch         int                 `json:"batch"`                    // captions an update; paper: 34
	Method        method.CapDecConfig `json:"method"`
	Epochs        float64             `json:"epochs,omitempty"` // in the place of the optimizer's updates; paper: 10
	Pace          Pace                `json:"pace"`
	Val           Val                 `json:"val,omitzero"`
	Seed          int64               `json:"seed"`
	Half          bool                `json:"half"`  // store the model in fp16
	Beams         int                 `json:"beams"` // how the model searches unasked; paper: 5
	Rerank        bool                `json:"rerank"`
	Align         modelfolder.Align   `json:"align,omitempty"` // what is done to photos unasked
}

// Train runs the recipe and writes a model folder to run.Out. A run that was stopped
// goes on where it was.
func (c CapDec) Train(ctx context.Context, run Run) error {
	if err := modelfolder.Writable(run.Out); err != nil {
		return err
	}
	if err := c.Swap.Validate(); err != nil {
		return err
	}
	if c.Offset && c.Photos == "" {
		return errors.New("offset is the mean photo minus the mean text, but photos names none")
	}
	captions, err := c.Data.captions(c.SingleCaption)
	if err != nil {
		return err
	}
	if c.Method.Optimizer.Updates, err = resolveUpdates(c.Method.Optimizer.Updates, c.Epochs, len(captions), c.Batch); err != nil {
		return err
	}
	c.Epochs, c.Val = 0, c.Val.of(Data{})
	examples := len(captions)
	if run.Forecast != nil {
		captions = limited(captions, c.Batch) // nothing is embedded, so a batch is enough
	}
	parts, err := openParts(c.CLIP, c.LanguageModel)
	if err != nil {
		return err
	}
	defer parts.Close()
	network, err := network(*parts.clip.Config.CLIP, parts.gpt, c.Mapper, true)
	if err != nil {
		return err
	}
	encode := batches.Sentences(parts.gpt.GPTTokenizer)
	if err := fit(captions, encode, network, c.Method.MaxTokens); err != nil {
		return err
	}
	embedder, err := newEmbedder(run, parts.clip)
	if err != nil {
		return err
	}
	embeddings, views, err := c.embed(ctx, embedder, captions, examples)
	if err != nil {
		return err
	}
	defer embeddings.Close()
	means, err := newCentres(ctx, embedder, embeddings, c.Photos, network.Normalize)
	if err != nil {
		return err
	}
	store := newStore(c.Seed)
	if err := load(store, parts.gpt, clipcap.GPTScope); err != nil {
		return err
	}
	learner, err := c.learner(run, store, network, means)
	if err != nil {
		return err
	}
	judge, err := newTextsJudge(ctx, embedder, c.Val, parts.gpt.GPTTokenizer, encode, c.Batch)
	if err != nil {
		return err
	}
	defer judge.close()
	if err := judge.watch(run.Engine, store, network, learner.Loss, greedy(parts.gpt.Config.StopTokens, maxTokens(parts.gpt, network))); err != nil {
		return err
	}
	source := &batches.Pairs{
		Records: alone(captions), Embeddings: embeddings, Views: views, Encode: encode, Size: c.Batch, Seed: uint64(c.Seed),
	}
	return learn(ctx, run, job[method.Pairs]{
		config: c, pace: c.Pace, updates: c.Method.Optimizer.Updates, size: c.Batch, examples: examples, diverge: diverge,
		store: store, method: learner, batch: source.Batch, val: c.Val.plan(judge.evaluate),
		write: func(o train.Outcome) error {
			m, err := parts.model(store, network, c.Half)
			if err != nil {
				return err
			}
			m.Config.Name, m.Config.Beams, m.Config.Rerank, m.Config.Align = c.Name, c.Beams, c.Rerank, c.Align
			return writeText(run.Out, m, c, means, o, judge.labelled, slices.Concat(c.Data.Text, c.Val.files(), named(c.Photos), named(c.Embeddings)))
		},
	})
}

// learner prepares the method.
func (c CapDec) learner(run Run, store *model.Store, network clipcap.Config, means *centres) (*method.CapDec, error) {
	var offset []float32
	if c.Offset {
		offset = means.gap()
	}
	return method.NewCapDec(run.Engine, store, network, c.Method, offset)
}

// embed embeds the captions, and each a second time as CLIP is to read it with its words
// exchanged.
func (c CapDec) embed(ctx context.Context, e *embedder, captions []string, examples int) (embeddings *dataset.Embeddings, views int, err error) {
	if c.Swap == batches.SwapNone {
		embeddings, err = e.textsOr(ctx, c.Embeddings, captions, examples)
		return embeddings, 1, err
	}
	if c.Embeddings != "" {
		return nil, 0, errors.New("swap embeds captions with other words, but embeddings says that all are embedded")
	}
	var read []string
	for _, caption := range captions {
		other, swapped := c.Swap.Apply(caption)
		if !swapped {
			other = caption
		}
		read = append(read, caption, other)
	}
	embeddings, err = e.texts(ctx, read)
	return embeddings, 2, err
}

// alone makes records of captions that stand alone.
func alone(captions []string) []dataset.Record {
	out := make([]dataset.Record, len(captions))
	for i, caption := range captions {
		out[i].Captions = []string{caption}
	}
	return out
}
