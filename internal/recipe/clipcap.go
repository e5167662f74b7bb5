package recipe

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
)

// ClipCap trains a captioner from photos with captions, a frozen CLIP and a
// language model.
type ClipCap struct {
	Name          string               `json:"name"`
	CLIP          string               `json:"clip"`           // model folder
	LanguageModel string               `json:"language_model"` // model folder; a captioner's to go on from it
	Data          Data                 `json:"data"`
	Mapper        mapper.Config        `json:"mapper"` // widths 0 stand for those of the models; none: the captioner's
	Normalize     bool                 `json:"normalize"`
	Views         int                  `json:"views"`   // embeddings a photo: itself, and variations of it
	Augment       batches.Augment      `json:"augment"` // of the variations
	Batch         int                  `json:"batch"`   // captions an update
	Method        method.ClipCapConfig `json:"method"`
	Pace          Pace                 `json:"pace"`
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
	if c.Views < 1 {
		return fmt.Errorf("views is %d, want 1 or more", c.Views)
	}
	if c.Views > 1 {
		if err := c.Augment.Validate(); err != nil {
			return err
		}
	}
	parts, err := openParts(c.CLIP, c.LanguageModel)
	if err != nil {
		return err
	}
	defer parts.Close()
	records, photos, closePhotos, err := c.Data.open()
	if err != nil {
		return err
	}
	defer closePhotos()
	embedder, err := newEmbedder(run, parts.clip)
	if err != nil {
		return err
	}
	embeddings, err := embedder.photos(ctx, c.Data, records, photos, views{c.Views, c.Augment, c.Seed})
	if err != nil {
		return err
	}
	defer embeddings.Close()
	network, err := network(*parts.clip.Config.CLIP, parts.gpt, c.Mapper, c.Normalize)
	if err != nil {
		return err
	}
	store := newStore(c.Seed)
	if err := loadLanguageModel(store, parts.gpt, c.Mapper.Kind == ""); err != nil {
		return err
	}
	learner, err := method.NewClipCap(run.Engine, store, network, c.Method)
	if err != nil {
		return err
	}
	source := &batches.Pairs{
		Records: records, Embeddings: embeddings, Views: c.Views, Tokenizer: parts.gpt.GPTTokenizer, Size: c.Batch, Seed: uint64(c.Seed),
	}
	p, err := plan(run.Out, c.Pace, c.Method.Optimizer.Updates, c.Batch, c)
	if err != nil {
		return err
	}
	if err := train.Loop(ctx, p, store, learner, source.Batch, run.Report); err != nil {
		return err
	}
	return c.write(run.Out, store, network, parts)
}

func (c ClipCap) write(out string, store *model.Store, network clipcap.Config, p *parts) error {
	dtype := weights.F32
	if c.Half {
		dtype = weights.F16
	}
	tensors, err := export(store, dtype, clipcap.MapperScope, clipcap.GPTScope)
	if err != nil {
		return err
	}
	for _, t := range p.clip.Tensors {
		if !strings.HasPrefix(t.Name, clip.Scope+".") {
			continue // of the captioner that learned along
		}
		values, err := t.Float32()
		if err != nil {
			return err
		}
		if t, err = weights.FromFloat32(t.Name, dtype, t.Shape, values); err != nil {
			return err
		}
		tensors = append(tensors, t)
	}
	run, err := runJSON(c, c.Data.Captions, c.Data.Photos)
	if err != nil {
		return err
	}
	from := p.clip.Config
	return modelfolder.Write(out, modelfolder.Model{
		Config: modelfolder.Config{
			Version: modelfolder.Version, Name: c.Name,
			CLIPName: from.CLIPName, CLIP: from.CLIP, Image: from.Image, Captioner: &network,
			StopTokens: slices.Clone(p.gpt.Config.StopTokens), Beams: c.Beams, Rerank: c.Rerank,
			MaxTokens: min(p.gpt.Config.MaxTokens, network.GPT.Positions-network.Mapper.PrefixLength),
		},
		CLIPTokenizer: p.clip.CLIPTokenizer, GPTTokenizer: p.gpt.GPTTokenizer, Tensors: tensors, Run: run,
	})
}
