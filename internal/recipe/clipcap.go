package recipe

import (
	"cmp"
	"context"
	"fmt"
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

// ClipCap trains a captioner from photos with captions, a frozen CLIP and a
// language model.
type ClipCap struct {
	Name          string               `json:"name"`
	CLIP          string               `json:"clip"`           // model folder; empty: the model in this program
	LanguageModel string               `json:"language_model"` // model folder, a captioner's to go on from it; empty: the model in this program
	Data          Data                 `json:"data"`
	Embeddings    string               `json:"embeddings,omitempty"` // of the photos, one each: a file of cutline convert --embeddings, in the place of data.photos and views
	Mapper        mapper.Config        `json:"mapper"`               // widths 0 stand for those of the models; none: the captioner's
	Normalize     bool                 `json:"normalize"`
	Views         int                  `json:"views"`           // embeddings a photo: itself, and variations of it
	Augment       batches.Augment      `json:"augment"`         // of the variations
	Noise         method.Noise         `json:"noise,omitzero"`  // of the embeddings, in their lengths
	Texts         bool                 `json:"texts,omitempty"` // learn from the captions' own embeddings, too, by turns, moved to where the photos are; takes normalize
	Batch         int                  `json:"batch"`           // captions an update
	Method        method.ClipCapConfig `json:"method"`
	Epochs        float64              `json:"epochs,omitempty"` // in the place of the optimizer's updates
	Pace          Pace                 `json:"pace"`
	Val           Val                  `json:"val,omitzero"`
	Seed          int64                `json:"seed"`
	Half          bool                 `json:"half"`   // store the model in fp16
	Beams         int                  `json:"beams"`  // how the model searches unasked; 0 for greedily
	Rerank        bool                 `json:"rerank"` // of the beams, take the one that its CLIP prefers
}

// Train runs the recipe and writes a model folder to run.Out. A run that was stopped
// goes on where it was.
func (c ClipCap) Train(ctx context.Context, run Run) error {
	if err := modelfolder.Writable(run.Out); err != nil {
		return err
	}
	if err := cmp.Or(c.views().validate(), checkNoise(c.Noise), c.checkTexts()); err != nil {
		return err
	}
	parts, err := openParts(c.CLIP, c.LanguageModel)
	if err != nil {
		return err
	}
	defer parts.Close()
	records, photos, closePhotos, err := c.open()
	if err != nil {
		return err
	}
	defer closePhotos()
	if c.Method.Optimizer.Updates, err = resolveUpdates(c.Method.Optimizer.Updates, c.Epochs, len(records), c.Batch); err != nil {
		return err
	}
	c.Epochs, c.Val = 0, c.Val.of(c.Data)
	examples := len(records)
	if run.Forecast != nil {
		records = limited(records, c.Batch) // nothing is embedded, so a batch is enough
	}
	embedder, err := newEmbedder(run, parts.clip)
	if err != nil {
		return err
	}
	embeddings, err := c.embed(ctx, embedder, records, photos, examples)
	if err != nil {
		return err
	}
	defer embeddings.Close()
	store := newStore(c.Seed)
	network, err := begin(store, *parts.clip.Config.CLIP, parts.gpt, c.Mapper, c.Normalize)
	if err != nil {
		return err
	}
	learner, err := method.NewClipCap(run.Engine, store, network, c.Method)
	if err != nil {
		return err
	}
	judge, err := newPairsJudge(ctx, embedder, c.Val, parts.gpt.GPTTokenizer, batches.Sentences(parts.gpt.GPTTokenizer), c.Batch)
	if err != nil {
		return err
	}
	defer judge.close()
	if err := judge.watch(run.Engine, store, network, learner.Loss, greedy(parts.gpt.Config.StopTokens, maxTokens(parts.gpt, network))); err != nil {
		return err
	}
	source := &batches.Pairs{
		Records: records, Embeddings: embeddings, Views: c.Views, Noise: c.Noise, Encode: batches.Sentences(parts.gpt.GPTTokenizer), Size: c.Batch, Seed: uint64(c.Seed),
	}
	batch, closeTexts, err := c.batch(ctx, embedder, source)
	if err != nil {
		return err
	}
	defer closeTexts()
	return learn(ctx, run, job[method.Pairs]{
		config: c, pace: c.Pace, updates: c.Method.Optimizer.Updates, size: c.Batch, examples: examples, diverge: diverge,
		store: store, method: learner, batch: batch, val: c.Val.plan(judge.evaluate),
		write: func(o train.Outcome) error { return c.write(run.Out, store, network, parts, o) },
	})
}

// open reads the captions, and opens the photos unless there are embeddings of them.
func (c ClipCap) open() (records []dataset.Record, photos dataset.Photos, close func() error, err error) {
	switch {
	case c.Embeddings == "":
		return c.Data.open()
	case c.Views != 1 || c.Data.Photos != "":
		return nil, nil, nil, fmt.Errorf("embeddings are one of each photo, and take their place: set views, which is %d, to 1, and name no data.photos", c.Views)
	}
	records, err = dataset.LoadJSONL(c.Data.Captions, c.Data.Split)
	return records, nil, func() error { return nil }, err
}

// embed embeds the photos of records, of which there are examples in the file.
func (c ClipCap) embed(ctx context.Context, e *embedder, records []dataset.Record, photos dataset.Photos, examples int) (*dataset.Embeddings, error) {
	if c.Embeddings != "" {
		return e.given(c.Embeddings, examples, "photos")
	}
	return e.photos(ctx, c.Data, records, photos, c.views())
}

func (c ClipCap) views() views { return views{c.Views, c.Augment, c.Seed} }

func (c ClipCap) write(out string, store *model.Store, network clipcap.Config, p *parts, o train.Outcome) error {
	m, err := p.model(store, network, c.Half)
	if err != nil {
		return err
	}
	m.Config.Name, m.Config.Beams, m.Config.Rerank = c.Name, c.Beams, c.Rerank
	if m.Run, err = runJSON(c, o, true, slices.Concat(c.Data.files(), c.Val.files(), named(c.Embeddings))...); err != nil {
		return err
	}
	return modelfolder.Write(out, m)
}
