package recipe

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/models"
)

// parts are the two trained models that a captioner is made of. Instead of a
// language model there may be a captioner, to go on from.
type parts struct {
	clip, gpt *modelfolder.Folder
}

// openParts opens the folders. An empty name stands for the model that the program
// carries.
func openParts(clip, languageModel string) (*parts, error) {
	c, err := openPart(clip)
	if err != nil {
		return nil, err
	}
	g, err := openPart(languageModel)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	p := &parts{c, g}
	if c.Config.CLIP == nil {
		err = fmt.Errorf("%s: holds a %s, want a CLIP", clip, c.Config.Kind())
	} else {
		err = checkLanguageModel(languageModel, g)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func openPart(folder string) (*modelfolder.Folder, error) {
	if folder != "" {
		return modelfolder.Open(folder)
	}
	carried, err := models.Tiny()
	if err != nil {
		return nil, err
	}
	return modelfolder.OpenFS(carried, "the carried model")
}

// below returns the tensors of one network of a folder.
func below(list []weights.Tensor, scope string) []weights.Tensor {
	return slices.DeleteFunc(slices.Clone(list), func(t weights.Tensor) bool { return !strings.HasPrefix(t.Name, scope+".") })
}

func checkLanguageModel(name string, f *modelfolder.Folder) error {
	if f.Config.GPT() == nil {
		return fmt.Errorf("%s: holds a %s, want a language model or a captioner", name, f.Config.Kind())
	}
	return nil
}

// Close closes both folders.
func (p *parts) Close() error { return errors.Join(p.clip.Close(), p.gpt.Close()) }

// network is that of a captioner with mapper m, whose widths 0 stand for those of the
// models.
func network(clip clip.Config, gpt *modelfolder.Folder, m mapper.Config, normalize bool) (clipcap.Config, error) {
	language := gpt.Config.GPT()
	if m.ClipWidth == 0 {
		m.ClipWidth = clip.EmbedDim
	}
	if m.Width == 0 {
		m.Width = language.Width
	}
	n := clipcap.Config{Mapper: m, GPT: *language, Normalize: normalize}
	return n, n.Validate()
}

// begin returns the network of a captioner and gives store what it begins with: the
// language model or, where m names no mapper, all of the captioner in its place.
func begin(store *model.Store, clip clip.Config, gpt *modelfolder.Folder, m mapper.Config, normalize bool) (clipcap.Config, error) {
	from := gpt.Config.Captioner
	if m.Kind != "" || from == nil {
		n, err := network(clip, gpt, m, normalize)
		if err != nil {
			return n, err
		}
		return n, load(store, gpt, clipcap.GPTScope)
	}
	if from.Mapper.ClipWidth != clip.EmbedDim {
		return *from, fmt.Errorf("the captioner to go on from reads embeddings of width %d, the CLIP makes %d", from.Mapper.ClipWidth, clip.EmbedDim)
	}
	return *from, load(store, gpt, clipcap.GPTScope, clipcap.MapperScope)
}

// maxTokens is the longest caption that a network writes unasked.
func maxTokens(gpt *modelfolder.Folder, n clipcap.Config) int {
	return min(gpt.Config.MaxTokens, n.GPT.Positions-n.Begin())
}

// load gives store a folder's variables below scopes. Others are drawn when a graph
// first asks for them.
func load(store *model.Store, folder *modelfolder.Folder, scopes ...string) error {
	for _, scope := range scopes {
		if err := loadTensors(store, below(folder.Tensors, scope)); err != nil {
			return err
		}
	}
	return nil
}

func loadTensors(store *model.Store, list []weights.Tensor) error {
	for _, t := range list {
		values, err := t.Float32()
		if err != nil {
			return err
		}
		value := tensors.FromFlatDataAndDimensions(values, t.Shape...)
		if _, err := store.CreateVariable(weights.VariablePath(t.Name), value); err != nil {
			return err
		}
	}
	return nil
}

// hand gives one store the variables of another below scopes, averaged where averages
// were taken, and nothing of how they were trained.
func hand(from, to *model.Store, scopes ...string) error {
	list, err := export(from, weights.F32, scopes...)
	if err != nil {
		return err
	}
	for _, scope := range scopes {
		if err := load(to, &modelfolder.Folder{Model: modelfolder.Model{Tensors: list}}, scope); err != nil {
			return err
		}
	}
	return nil
}

// model is a captioner of these parts: all of a model folder but its name, how it
// searches, and how it was trained.
func (p *parts) model(store *model.Store, network clipcap.Config, half bool) (modelfolder.Model, error) {
	dtype := storedAs(half)
	tensors, err := export(store, dtype, clipcap.MapperScope, clipcap.GPTScope)
	if err != nil {
		return modelfolder.Model{}, err
	}
	towers, err := p.towers(dtype)
	if err != nil {
		return modelfolder.Model{}, err
	}
	from := p.clip.Config
	return modelfolder.Model{
		Config: modelfolder.Config{
			Version: modelfolder.Version, CLIPName: from.CLIPName, CLIP: from.CLIP, Image: from.Image, Captioner: &network,
			StopTokens: slices.Clone(p.gpt.Config.StopTokens), MaxTokens: maxTokens(p.gpt, network),
		},
		CLIPTokenizer: p.clip.CLIPTokenizer, GPTTokenizer: p.gpt.GPTTokenizer, Tensors: append(tensors, towers...),
	}, nil
}

// storedAs is the type of a model's numbers.
func storedAs(half bool) weights.DType {
	if half {
		return weights.F16
	}
	return weights.F32
}

// towers are the tensors of the CLIP.
func (p *parts) towers(dtype weights.DType) ([]weights.Tensor, error) {
	var out []weights.Tensor
	for _, t := range below(p.clip.Tensors, clip.Scope) {
		values, err := t.Float32()
		if err != nil {
			return nil, err
		}
		if t, err = weights.FromFloat32(t.Name, dtype, t.Shape, values); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}
