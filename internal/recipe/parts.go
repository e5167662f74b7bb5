package recipe

import (
	"errors"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/weights"
)

// parts are the two trained models that a captioner is made of.
type parts struct {
	clip, gpt *modelfolder.Folder
}

func openParts(clip, languageModel string) (*parts, error) {
	c, err := modelfolder.Open(clip)
	if err != nil {
		return nil, err
	}
	g, err := modelfolder.Open(languageModel)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	p := &parts{c, g}
	if c.Config.CLIP == nil {
		err = fmt.Errorf("%s: holds a %s, want a CLIP", clip, c.Config.Kind())
	} else if g.Config.LanguageModel == nil {
		err = fmt.Errorf("%s: holds a %s, want a language model", languageModel, g.Config.Kind())
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Close closes both folders.
func (p *parts) Close() error { return errors.Join(p.clip.Close(), p.gpt.Close()) }

// loadLanguageModel gives store the language model's variables. The mapper's are
// drawn when a graph first asks for them.
func (p *parts) loadLanguageModel(store *model.Store) error {
	for _, t := range p.gpt.Tensors {
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
