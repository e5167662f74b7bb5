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
	if f.Config.LanguageModel == nil && f.Config.Captioner == nil {
		return fmt.Errorf("%s: holds a %s, want a language model or a captioner", name, f.Config.Kind())
	}
	return nil
}

// Close closes both folders.
func (p *parts) Close() error { return errors.Join(p.clip.Close(), p.gpt.Close()) }

// network is the captioner's: that of the folder to go on from where m says
// nothing, otherwise of mapper m, whose widths 0 stand for those of the models.
func network(clip clip.Config, gpt *modelfolder.Folder, m mapper.Config, normalize bool) (clipcap.Config, error) {
	from := gpt.Config.Captioner
	if m.Kind == "" && from != nil {
		return *from, from.Validate()
	}
	language := gpt.Config.LanguageModel
	if language == nil {
		language = &from.GPT
	}
	if m.ClipWidth == 0 {
		m.ClipWidth = clip.EmbedDim
	}
	if m.Width == 0 {
		m.Width = language.Width
	}
	n := clipcap.Config{Mapper: m, GPT: *language, Normalize: normalize}
	return n, n.Validate()
}

// loadLanguageModel gives store the language model's variables and, with a mapper,
// those of the captioner's mapper. Others are drawn when a graph first asks for them.
func loadLanguageModel(store *model.Store, gpt *modelfolder.Folder, withMapper bool) error {
	for _, t := range gpt.Tensors {
		scope, _, _ := strings.Cut(t.Name, ".")
		if scope != clipcap.GPTScope && (scope != clipcap.MapperScope || !withMapper) {
			continue
		}
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
