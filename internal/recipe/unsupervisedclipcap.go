package recipe

import (
	"context"
	"errors"
	"slices"

	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
)

// UnsupervisedClipCap trains a captioner from photos' captions, of which photos have
// several each, without the photos; a frozen CLIP and a language model.
type UnsupervisedClipCap struct {
	Name          string                           `json:"name"`
	CLIP          string                           `json:"clip"`           // model folder; empty: the model in this program
	LanguageModel string                           `json:"language_model"` // model folder; empty: the model in this program
	Data          TextData                         `json:"data"`
	Embeddings    string                           `json:"embeddings,omitempty"` // of the captions, one each: a file of cutline convert --embeddings, in the place of embedding them
	Photos        string                           `json:"photos,omitempty"`     // photos without captions, a folder, archive or file of embeddings, for their mean
	Mapper        mapper.Config                    `json:"mapper"`               // widths 0 stand for those of the models. Paper: ClipCap's MLP
	Normalize     bool                             `json:"normalize"`            // the paper does not say; ClipCap's MLP: false
	Batch         int                              `json:"batch"`                // captions an update; ClipCap: 40
	Method        method.UnsupervisedClipCapConfig `json:"method"`
	Epochs        float64                          `json:"epochs,omitempty"` // in the place of the optimizer's updates; ClipCap: 10
	Pace          Pace                             `json:"pace"`
	Val           Val                              `json:"val,omitzero"`
	Seed          int64                            `json:"seed"`
	Half          bool                             `json:"half"`   // store the model in fp16
	Beams         int                              `json:"beams"`  // how the model searches unasked; ClipCap: 5
	Rerank        bool                             `json:"rerank"` // of the beams, take the one that its CLIP prefers
	Align         modelfolder.Align                `json:"align,omitempty"`
}

// Train runs the recipe and writes a model folder to run.Out. A run that was stopped
// goes on where it was.
func (c UnsupervisedClipCap) Train(ctx context.Context, run Run) error {
	if err := modelfolder.Writable(run.Out); err != nil {
		return err
	}
	groups, err := c.groups()
	if err != nil {
		return err
	}
	captions := slices.Concat(groups...)
	if c.Method.Optimizer.Updates, err = resolveUpdates(c.Method.Optimizer.Updates, c.Epochs, len(captions), c.Batch); err != nil {
		return err
	}
	c.Epochs, c.Val = 0, c.Val.of(Data{})
	examples := len(captions)
	if run.Forecast != nil {
		groups = limited(groups, c.Batch) // nothing is embedded, so a batch is enough
		captions = slices.Concat(groups...)
	}
	parts, err := openParts(c.CLIP, c.LanguageModel)
	if err != nil {
		return err
	}
	defer parts.Close()
	network, err := network(*parts.clip.Config.CLIP, parts.gpt, c.Mapper, c.Normalize)
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
	embeddings, err := embedder.textsOr(ctx, c.Embeddings, captions, examples)
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
	learner, err := method.NewUnsupervisedClipCap(run.Engine, store, network, c.Method)
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
	source := &batches.Paraphrases{Groups: groups, Embeddings: embeddings, Encode: encode, Size: c.Batch, Seed: uint64(c.Seed)}
	return learn(ctx, run, job[method.Paraphrases]{
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

// groups reads the captions of each photo. Where no photo has two, there is nothing to
// learn one from another.
func (c UnsupervisedClipCap) groups() ([][]string, error) {
	groups, err := c.Data.groups()
	if err != nil {
		return nil, err
	}
	several := slices.ContainsFunc(groups, func(g []string) bool { return len(g) > 1 })
	if c.Method.Matched && !several {
		return nil, errors.New("every photo has one caption, but matched asks for another one of the same photo: name a file of captions by photo, or set method.matched to false, or train capdec")
	}
	return groups, nil
}
