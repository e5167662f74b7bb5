package recipe

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
)

// SCST goes on training a captioner by the scores of the captions that it writes.
type SCST struct {
	Name             string            `json:"name"`
	Captioner        string            `json:"captioner"` // model folder with its CLIP; empty: the model in this program
	Data             Data              `json:"data"`
	Views            int               `json:"views"`            // embeddings a photo: itself, and variations of it
	Augment          batches.Augment   `json:"augment"`          // of the variations
	Noise            method.Noise      `json:"noise,omitzero"`   // of the embeddings, in their lengths
	Batch            int               `json:"batch"`            // photos an update
	CIDEr            float64           `json:"cider"`            // weight of CIDEr-D in the reward; paper: 1
	Discriminability float64           `json:"discriminability"` // weight of CLIP's word on which photo is meant; paper: 0
	Method           method.SCSTConfig `json:"method"`
	Epochs           float64           `json:"epochs,omitempty"` // in the place of the optimizer's updates
	Pace             Pace              `json:"pace"`
	Val              Val               `json:"val,omitzero"`
	Seed             int64             `json:"seed"`
	Half             bool              `json:"half"`   // store the model in fp16
	Beams            int               `json:"beams"`  // how the model searches unasked; 0 for greedily
	Rerank           bool              `json:"rerank"` // of the beams, take the one that its CLIP prefers
}

// Train runs the recipe and writes a model folder to run.Out. A run that was stopped
// goes on where it was.
func (c SCST) Train(ctx context.Context, run Run) error {
	if err := modelfolder.Writable(run.Out); err != nil {
		return err
	}
	shown := views{c.Views, c.Augment, c.Seed}
	if err := cmp.Or(shown.validate(), checkNoise(c.Noise)); err != nil {
		return err
	}
	parts, err := openParts(c.Captioner, c.Captioner)
	if err != nil {
		return err
	}
	defer parts.Close()
	if parts.gpt.Config.Captioner == nil {
		return fmt.Errorf("%s: holds a %s, want a captioner to go on from", c.Captioner, parts.gpt.Config.Kind())
	}
	records, photos, closePhotos, err := c.Data.open()
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
	embeddings, err := embedder.photos(ctx, c.Data, records, photos, shown)
	if err != nil {
		return err
	}
	defer embeddings.Close()
	store := newStore(c.Seed)
	network, err := begin(store, *parts.clip.Config.CLIP, parts.gpt, mapper.Config{}, false)
	if err != nil {
		return err
	}
	reward, err := c.newReward(run.Engine, parts, records)
	if err != nil {
		return err
	}
	stop := parts.gpt.Config.StopTokens
	learner, err := method.NewSCST(run.Engine, store, network, c.Method, stop, reward.judge)
	if err != nil {
		return err
	}
	// Its loss on val is that of the captions that people wrote.
	told, err := method.NewClipCap(run.Engine, store, network, method.ClipCapConfig{Optimizer: c.Method.Optimizer, MaxTokens: c.Method.MaxTokens})
	if err != nil {
		return err
	}
	judge, err := newPairsJudge(ctx, embedder, c.Val, parts.gpt.GPTTokenizer, batches.Sentences(parts.gpt.GPTTokenizer), c.Batch)
	if err != nil {
		return err
	}
	defer judge.close()
	if err := judge.watch(run.Engine, store, network, told.Loss, greedy(stop, maxTokens(parts.gpt, network))); err != nil {
		return err
	}
	source := &batches.Scenes{Embeddings: embeddings, Views: c.Views, Noise: c.Noise, Size: c.Batch, Seed: uint64(c.Seed)}
	return learn(ctx, run, job[method.Scenes]{
		config: c, pace: c.Pace, updates: c.Method.Optimizer.Updates, size: c.Batch, examples: examples,
		store: store, method: learner, batch: source.Batch, val: c.Val.plan(judge.evaluate),
		collapse: train.Collapse{Name: "distinct", Least: 0.1, Do: "lower the learning rate, or raise discriminability"},
		write: func(o train.Outcome) error {
			m, err := parts.model(store, network, c.Half)
			if err != nil {
				return err
			}
			m.Config.Name, m.Config.Beams, m.Config.Rerank = c.Name, c.Beams, c.Rerank
			if m.Run, err = runJSON(c, o, true, slices.Concat(c.Data.files(), c.Val.files())...); err != nil {
				return err
			}
			return modelfolder.Write(run.Out, m)
		},
	})
}
