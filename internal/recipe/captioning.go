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
		a.network, err = network(c.Network, gpt, c.Captioning.Mapper, false)
	}
	if err == nil {
		err = loadLanguageModel(store, gpt, c.Captioning.Mapper.Kind == "")
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

// maxTokens is the longest caption that the model generates unasked.
func (a *captioner) maxTokens() int {
	return min(a.gpt.Config.MaxTokens, a.network.GPT.Positions-a.network.Mapper.PrefixLength)
}

// describe adds all of the captioner but its tensors to m.
func (a *captioner) describe(m *modelfolder.Model) {
	m.Config.Captioner = &a.network
	m.Config.StopTokens = slices.Clone(a.gpt.Config.StopTokens)
	m.Config.MaxTokens = a.maxTokens()
	m.GPTTokenizer = a.gpt.GPTTokenizer
}
