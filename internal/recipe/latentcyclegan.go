package recipe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/cyclegan"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
)

// LatentCycleGAN trains a captioner from photos without captions and captions without
// photos: a captioner of texts' embeddings first, and then what translates photos'
// embeddings into such.
type LatentCycleGAN struct {
	Name      string                      `json:"name"`
	CLIP      string                      `json:"clip"`    // model folder; empty: the model in this program, or that of the decoder
	Decoder   string                      `json:"decoder"` // model folder of a captioner that learned from texts; empty: one is trained, as text_decoder says
	Text      TextDecoder                 `json:"text_decoder"`
	Data      TextData                    `json:"data"`      // the texts
	Photos    string                      `json:"photos"`    // a folder, archive or file of embeddings; nothing else about them is known
	Generator cyclegan.Config             `json:"generator"` // width 0 stands for the CLIP's
	Batch     int                         `json:"batch"`     // photos, and as many texts, an update; paper: 64
	Method    method.LatentCycleGANConfig `json:"method"`
	Epochs    float64                     `json:"epochs,omitempty"` // of the photos or the texts, whichever are more, in the place of the optimizer's updates; paper: 20
	Least     float64                     `json:"least_spread"`     // of translated embeddings, as a share of the texts': below it they are all alike and the run ends; 0: it goes on
	Pace      Pace                        `json:"pace"`
	Val       Val                         `json:"val,omitzero"`
	Seed      int64                       `json:"seed"`
	Half      bool                        `json:"half"` // store the model in fp16
	Beams     int                         `json:"beams"`
	Rerank    bool                        `json:"rerank"`
}

// TextDecoder is how the captioner of texts' embeddings is trained: as CapDec without
// noise, on the same texts.
type TextDecoder struct {
	LanguageModel string              `json:"language_model"` // model folder; empty: the model in this program
	Mapper        mapper.Config       `json:"mapper"`         // paper: transformer, 40 of either token, 8 layers
	Batch         int                 `json:"batch"`          // paper: 64
	Method        method.CapDecConfig `json:"method"`         // whose noise is none. Paper: GPT-2 is frozen
	Epochs        float64             `json:"epochs"`         // paper: 20
	Pace          Pace                `json:"pace"`
	Val           Val                 `json:"val,omitzero"`
}

// Train runs the recipe and writes a model folder to run.Out. A run that was stopped
// goes on where it was. The captioner of texts' embeddings lies in run.Out.run/decoder.
func (c LatentCycleGAN) Train(ctx context.Context, run Run) error {
	if err := modelfolder.Writable(run.Out); err != nil {
		return err
	}
	if c.Photos == "" {
		return errors.New("no photos to learn from: photos names no folder or archive")
	}
	captions, err := c.Data.captions(false)
	if err != nil {
		return err
	}
	from, err := c.decoder(ctx, run)
	if err != nil {
		return err
	}
	parts, err := openParts(from, from)
	if err != nil {
		return err
	}
	defer parts.Close()
	if network := parts.clip.Config.Captioner; c.Decoder != "" && (network == nil || c.Generator.Normalize && !network.Normalize) {
		return fmt.Errorf("%s: is no captioner that reads embeddings divided by their lengths, as generator.normalize makes them", c.Decoder)
	}
	width := parts.clip.Config.CLIP.EmbedDim
	if c.Generator.Width = cmp.Or(c.Generator.Width, width); c.Generator.Width != width {
		return fmt.Errorf("generator.width is %d, but the CLIP makes embeddings of width %d", c.Generator.Width, width)
	}
	embedder, err := newEmbedder(run, parts.clip)
	if err != nil {
		return err
	}
	texts, err := embedder.texts(ctx, captions)
	if err != nil {
		return err
	}
	defer texts.Close()
	photos, err := embedder.unlabelled(ctx, c.Photos)
	if err != nil {
		return err
	}
	defer photos.Close()
	examples := max(texts.Len(), photos.Len())
	if c.Method.Optimizer.Updates, err = resolveUpdates(c.Method.Optimizer.Updates, c.Epochs, examples, c.Batch); err != nil {
		return err
	}
	c.Epochs, c.Val = 0, c.Val.of(Data{})
	store := newStore(c.Seed)
	learner, err := method.NewLatentCycleGAN(run.Engine, store, c.Generator, c.Method)
	if err != nil {
		return err
	}
	judge, err := newTranslationJudge(ctx, embedder, c.Val, store, c.Generator)
	if err != nil {
		return err
	}
	defer judge.close()
	source := &batches.Unpaired{Photos: photos, Texts: texts, Size: c.Batch, Seed: uint64(c.Seed)}
	return learn(ctx, run, job[method.Unpaired]{
		config: c, pace: c.Pace, updates: c.Method.Optimizer.Updates, size: c.Batch, examples: examples,
		diverge: diverge, rising: "cycle", collapse: c.collapse(),
		store: store, method: learner, batch: source.Batch, val: c.Val.plan(judge.evaluate),
		write: func(o train.Outcome) error { return c.write(run.Out, store, parts.clip.Model, o) },
	})
}

// collapse ends a run whose translations are all alike, once it had the time to draw
// them apart: generators begin with a constant, nearly.
func (c LatentCycleGAN) collapse() train.Collapse {
	if c.Least == 0 {
		return train.Collapse{}
	}
	return train.Collapse{
		Name: "spread", Least: c.Least, After: c.Method.Optimizer.Updates / 4,
		Do: "photos are all translated into the same: raise method.cycle, or lower the learning rate or method.discriminator_rate",
	}
}

// decoder returns the folder of the captioner of texts' embeddings, which it trains
// where none is named.
func (c LatentCycleGAN) decoder(ctx context.Context, run Run) (string, error) {
	if c.Decoder != "" {
		if c.CLIP != "" {
			return "", errors.New("clip and decoder are given: the decoder brings the CLIP that it learned from")
		}
		return c.Decoder, nil
	}
	if variance := c.Text.Method.Noise.Variance; variance != 0 {
		return "", fmt.Errorf("text_decoder.method.noise.variance is %g, want 0: the textualiser is what closes the gap", variance)
	}
	run.Out = filepath.Join(filepath.Clean(run.Out)+".run", "decoder")
	text := CapDec{
		Name: c.Name + "-decoder", CLIP: c.CLIP, LanguageModel: c.Text.LanguageModel, Data: c.Data, Photos: c.Photos,
		Mapper: c.Text.Mapper, Batch: c.Text.Batch, Method: c.Text.Method, Epochs: c.Text.Epochs,
		Pace: c.Text.Pace, Val: c.Text.Val, Seed: c.Seed, Half: c.Half,
	}
	if err := text.Train(ctx, run); err != nil {
		return "", fmt.Errorf("text_decoder: %w", err)
	}
	if run.Forecast != nil {
		return c.CLIP, nil // which stands in for what is not there yet
	}
	return run.Out, nil
}

// write adds the textualiser to the decoder.
func (c LatentCycleGAN) write(out string, store *model.Store, m modelfolder.Model, o train.Outcome) error {
	generator, err := export(store, storedAs(c.Half), cyclegan.TextGenerator)
	if err != nil {
		return err
	}
	m.Tensors = append(slices.Clone(m.Tensors), generator...)
	m.Config.Name, m.Config.Beams, m.Config.Rerank = c.Name, c.Beams, c.Rerank
	m.Config.Textualiser, m.Config.Align = &c.Generator, modelfolder.AlignTextual
	if m.Run, err = runJSON(c, o, true, slices.Concat(c.Data.Text, named(c.Photos), c.Val.files())...); err != nil {
		return err
	}
	return modelfolder.Write(out, m)
}
