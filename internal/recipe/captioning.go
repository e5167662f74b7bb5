package recipe

import (
	"slices"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/tokenizer"
)

// captioner is what learns along with a CLIP. A nil one is none.
type captioner struct {
	config  Captioning
	network clipcap.Config
	gpt     *modelfolder.Folder
}

// captioner opens the captioner that c asks for, nil for none, and gives store its
// language model.
func (c CLIP) captioner(store *model.Store) (*captioner, error) {
	if c.Captioning == nil {
		return nil, nil
	}
	gpt, err := openPart(c.Captioning.LanguageModel)
	if err != nil {
		return nil, err
	}
	a := &captioner{config: *c.Captioning, gpt: gpt}
	if err = checkLanguageModel(c.Captioning.LanguageModel, gpt); err == nil {
		a.network, err = begin(store, c.Network, gpt, c.Captioning.Mapper, false)
	}
	if err != nil {
		_ = gpt.Close() // the first error is the one that helps
		return nil, err
	}
	return a, nil
}

// Close closes the language model's folder.
func (a *captioner) Close() error {
	if a == nil {
		return nil
	}
	return a.gpt.Close()
}

func (a *captioner) method() *method.Captioning {
	if a == nil {
		return nil
	}
	return &method.Captioning{Weight: a.config.Weight, Network: a.network, MaxTokens: a.config.MaxTokens}
}

func (a *captioner) tokenizer() *tokenizer.BPE {
	if a == nil {
		return nil
	}
	return a.gpt.GPTTokenizer
}

// describe adds all of the captioner but its tensors to m.
func (a *captioner) describe(m *modelfolder.Model) {
	m.Config.Captioner = &a.network
	m.Config.StopTokens = slices.Clone(a.gpt.Config.StopTokens)
	m.Config.MaxTokens = maxTokens(a.gpt, a.network)
	m.GPTTokenizer = a.gpt.GPTTokenizer
}
