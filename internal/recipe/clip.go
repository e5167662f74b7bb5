package recipe

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/tokenizer"
)

// CLIP trains a CLIP of one's own from photos with captions.
type CLIP struct {
	Name      string          `json:"name"` // of the model, as its scores will bear it
	Data      Data            `json:"data"`
	Network   clip.Config     `json:"network"` // vocab_size is the tokenizer's wish
	Augment   batches.Augment `json:"augment"`
	Batch     int             `json:"batch"` // photos an update
	Optimizer train.Optimizer `json:"optimizer"`
	Epochs    float64         `json:"epochs,omitempty"` // in the place of the optimizer's updates
	Pace      Pace            `json:"pace"`
	Val       Val             `json:"val,omitzero"`
	Seed      int64           `json:"seed"` // of initial values, order and augmentation
	Half      bool            `json:"half"` // store the model in fp16

	// Start is a model folder whose towers training goes on from, perhaps with larger
	// photos; empty for towers that are drawn from Seed.
	Start string `json:"start,omitempty"`

	// Captioning lets a captioner learn along, and the image tower from it; see
	// [method.CLIP]. The folder then holds the captioner, too.
	Captioning *Captioning `json:"captioning,omitempty"`

	// Words is the weight of telling a photo's words from its embedding, and Mix the largest
	// share of a photo that another takes; both are 0 for none. See [method.CLIP].
	Words float64 `json:"words,omitempty"`
	Mix   float64 `json:"mix,omitempty"`
}

// Captioning is the captioner that learns along with a CLIP.
type Captioning struct {
	Weight        float64       `json:"weight"`         // of its loss beside the contrastive one
	LanguageModel string        `json:"language_model"` // model folder
	Mapper        mapper.Config `json:"mapper"`         // widths 0 stand for those of the models
	MaxTokens     int           `json:"max_tokens"`     // longer captions are cut
}

// Train runs the recipe and writes a model folder to run.Out. A run that was stopped
// goes on where it was.
func (c CLIP) Train(ctx context.Context, run Run) error {
	if err := modelfolder.Writable(run.Out); err != nil {
		return err
	}
	if err := c.checkMix(); err != nil {
		return err
	}
	records, photos, closePhotos, err := c.Data.open()
	if err != nil {
		return err
	}
	defer closePhotos()
	store := newStore(c.Seed)
	bpe, err := c.begin(store, records)
	if err != nil {
		return err
	}
	c.Network.Text.VocabSize = bpe.Size()
	if err := c.Network.Validate(); err != nil {
		return err
	}
	if c.Optimizer.Updates, err = resolveUpdates(c.Optimizer.Updates, c.Epochs, len(records), c.Batch); err != nil {
		return err
	}
	c.Epochs, c.Val = 0, c.Val.of(c.Data)
	captioner, err := c.captioner(store)
	if err != nil {
		return err
	}
	defer captioner.Close()
	learner, err := method.NewCLIP(run.Engine, store, c.Network, captioner.method(), c.words(bpe, records), c.Optimizer)
	if err != nil {
		return err
	}
	judge, err := newCLIPJudge(run.Engine, store, learner, c, bpe, captioner)
	if err != nil {
		return err
	}
	defer judge.close()
	source := &batches.Photos{
		Records: records, Source: photos, Tokenizer: bpe, Context: c.Network.Text.ContextLength,
		Captions: captioner.tokenizer(), Preprocess: imageproc.CLIP(c.Network.Vision.ImageSize), Augment: c.Augment,
		Words: c.Words > 0, Mix: c.Mix,
		Size: c.Batch, Seed: uint64(c.Seed),
	}
	return learn(ctx, run, job[method.Photos]{
		config: c, pace: c.Pace, updates: c.Optimizer.Updates, size: c.Batch, examples: len(records), diverge: diverge,
		store: store, method: learner, batch: source.Batch, val: c.Val.plan(judge.evaluate),
		write: func(o train.Outcome) error { return c.write(run.Out, store, bpe, captioner, o) },
	})
}

// begin returns the tokenizer, and gives store the towers that c starts from.
func (c CLIP) begin(store *model.Store, records []dataset.Record) (*tokenizer.BPE, error) {
	if c.Start != "" {
		return c.loadStart(store)
	}
	bpe, err := tokenizer.Train(tokenizer.CLIP, captions(records), c.Network.Text.VocabSize)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	return bpe, nil
}

func (c CLIP) write(out string, store *model.Store, bpe *tokenizer.BPE, captioner *captioner, o train.Outcome) error {
	image := imageproc.CLIP(c.Network.Vision.ImageSize)
	m := modelfolder.Model{
		Config: modelfolder.Config{
			Version: modelfolder.Version, Name: c.Name, CLIPName: c.Name, CLIP: &c.Network, Image: &image,
		},
		CLIPTokenizer: bpe,
	}
	scopes := []string{clip.Scope}
	if captioner != nil {
		captioner.describe(&m)
		scopes = append(scopes, clipcap.MapperScope, clipcap.GPTScope)
	}
	var err error
	if m.Tensors, err = export(store, storedAs(c.Half), scopes...); err != nil {
		return err
	}
	if m.Run, err = runJSON(c, o, true, slices.Concat(c.Data.files(), c.Val.files())...); err != nil {
		return err
	}
	return modelfolder.Write(out, m)
}

func captions(records []dataset.Record) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, r := range records {
			for _, caption := range r.Captions {
				if !yield(caption) {
					return
				}
			}
		}
	}
}
