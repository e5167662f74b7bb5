package recipe

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/dataset"
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
	LanguageModel string               `json:"language_model"` // model folder
	Data          Data                 `json:"data"`
	Mapper        mapper.Config        `json:"mapper"` // widths 0 stand for those of the models
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

// Train runs the recipe and writes a model folder to out. A run that was stopped
// goes on where it was.
func (c ClipCap) Train(ctx context.Context, engine compute.Backend, out string, report func(train.Progress)) error {
	if err := modelfolder.Writable(out); err != nil {
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
	embeddings, err := c.embed(ctx, engine, parts.clip, records, photos)
	if err != nil {
		return err
	}
	network := c.network(parts)
	if err := network.Validate(); err != nil {
		return err
	}
	store := newStore(c.Seed)
	if err := parts.loadLanguageModel(store); err != nil {
		return err
	}
	learner, err := method.NewClipCap(engine, store, network, c.Method)
	if err != nil {
		return err
	}
	source := &batches.Pairs{
		Records: records, Embeddings: embeddings, Tokenizer: parts.gpt.GPTTokenizer, Size: c.Batch, Seed: uint64(c.Seed),
	}
	p, err := plan(out, c.Pace, c.Method.Optimizer.Updates, c)
	if err != nil {
		return err
	}
	if err := train.Loop(ctx, p, store, learner, source.Batch, report); err != nil {
		return err
	}
	return c.write(out, store, network, parts)
}

// network fills in the widths of the two models.
func (c ClipCap) network(p *parts) clipcap.Config {
	m := c.Mapper
	if m.ClipWidth == 0 {
		m.ClipWidth = p.clip.Config.CLIP.EmbedDim
	}
	if m.Width == 0 {
		m.Width = p.gpt.Config.LanguageModel.Width
	}
	return clipcap.Config{Mapper: m, GPT: *p.gpt.Config.LanguageModel, Normalize: c.Normalize}
}

// embed computes the embeddings of all views of all photos.
func (c ClipCap) embed(ctx context.Context, engine compute.Backend, folder *modelfolder.Folder, records []dataset.Record, photos dataset.Photos) ([][][]float32, error) {
	store := model.NewStore()
	if err := folder.Load(engine, store); err != nil {
		return nil, err
	}
	encoder, err := clip.NewEncoder(engine, store, *folder.Config.CLIP)
	if err != nil {
		return nil, err
	}
	out := make([][][]float32, len(records))
	for i, r := range records {
		photo, err := batches.Decode(photos, r.Image)
		if err != nil {
			return nil, err
		}
		preprocess := *folder.Config.Image
		pixels := [][]float32{preprocess.Tensor(photo)}
		rng := rand.New(rand.NewPCG(uint64(c.Seed), uint64(i)))
		for len(pixels) < c.Views {
			pixels = append(pixels, preprocess.Tensor(c.Augment.Apply(photo, preprocess.Size, rng)))
		}
		if out[i], err = encoder.Image(ctx, pixels); err != nil {
			return nil, err
		}
	}
	return out, nil
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
