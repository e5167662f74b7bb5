package modelfolder

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// Model is what a folder holds.
type Model struct {
	Config           Config
	CLIPTokenizer    *tokenizer.BPE // nil without a CLIP
	GPTTokenizer     *tokenizer.BPE // nil without a language model
	RoBERTaTokenizer *tokenizer.BPE // nil without a RoBERTa

	// Tensors of F32 or F16, under the paths of a store's variables with dots for
	// slashes; see [weights.Export].
	Tensors []weights.Tensor

	Memory *Memory // nil where the captioner has none

	// Run is run.json, nil where the model was not trained here.
	Run []byte
}

// Check builds the networks, without running them, and tells whether the tensors
// are exactly those that they ask for; if not, the error is a
// *weights.MismatchError.
func (m Model) Check(engine compute.Backend) error {
	store := model.NewStore()
	if err := weights.Declare(engine, store, m.Config.Declare); err != nil {
		return err
	}
	return weights.Match(store, m.Tensors)
}

// validate checks all that can be told without building a network.
func (m Model) validate() error {
	if err := m.Config.Validate(); err != nil {
		return fmt.Errorf("%s: %w", configFile, err)
	}
	if err := m.validateCLIPTokenizer(); err != nil {
		return fmt.Errorf("%s: %w", clipTokenizer, err)
	}
	if err := m.validateGPTTokenizer(); err != nil {
		return fmt.Errorf("%s: %w", gptTokenizer, err)
	}
	if err := m.validateRoBERTaTokenizer(); err != nil {
		return fmt.Errorf("%s: %w", robertaTokenizer, err)
	}
	if has := m.Memory != nil; has != (m.Config.Memory != nil) || has && (m.Memory.Len() != m.Config.Memory.Texts || m.Memory.Width() != m.Config.CLIP.EmbedDim) {
		return fmt.Errorf("%s: not the memory that %s describes", memoryFile, configFile)
	}
	// Building the networks takes time and memory in their depth.
	if blocks := m.Config.blocks(); blocks > len(m.Tensors) {
		return fmt.Errorf("%s: %d tensors, fewer than the %d blocks that %s describes", tensorsFile, len(m.Tensors), blocks, configFile)
	}
	return nil
}

func (m Model) validateCLIPTokenizer() error {
	c, t := m.Config.CLIP, m.CLIPTokenizer
	if err := fits(t, c != nil, tokenizer.CLIP); err != nil || c == nil {
		return err
	}
	if t.Size() > c.Text.VocabSize {
		return fmt.Errorf("%d tokens, but the text tower knows %d", t.Size(), c.Text.VocabSize)
	}
	return endsWhereRead(t, c.Text)
}

// endsWhereRead holds the end token against the id that the text feature is read
// at: a mistake there is silent, and spoils every similarity.
func endsWhereRead(t *tokenizer.BPE, text clip.Text) error {
	end, _ := t.ID("<|endoftext|>") // which is what makes the style CLIP
	want := text.EndToken
	if want == 0 {
		want = t.Size() - 1
	}
	if end != want {
		return fmt.Errorf("the end token is %d, but the text tower looks for %d", end, want)
	}
	return nil
}

func (m Model) validateGPTTokenizer() error {
	c, t := m.Config.GPT(), m.GPTTokenizer
	style := tokenizer.GPT2
	if m.Config.Captioner != nil && t != nil && t.Style() == tokenizer.CLIP {
		style = tokenizer.CLIP // DeCap's decoder writes CLIP's tokens
	}
	if err := fits(t, c != nil, style); err != nil || c == nil {
		return err
	}
	if t.Size() > c.VocabSize {
		return fmt.Errorf("%d tokens, but the language model knows %d", t.Size(), c.VocabSize)
	}
	for _, id := range m.Config.StopTokens {
		if id >= t.Size() {
			return fmt.Errorf("stop token %d is none of the %d tokens", id, t.Size())
		}
	}
	return nil
}

func (m Model) validateRoBERTaTokenizer() error {
	c, t := m.Config.RoBERTa, m.RoBERTaTokenizer
	if err := fits(t, c != nil, tokenizer.RoBERTa); err != nil || c == nil {
		return err
	}
	if t.Size() > c.VocabSize {
		return fmt.Errorf("%d tokens, but the encoder knows %d", t.Size(), c.VocabSize)
	}
	if pad, _ := t.ID("<pad>"); pad != c.PadToken { // which is what makes the style RoBERTa
		return fmt.Errorf("<pad> is %d, but the encoder takes %d for padding", pad, c.PadToken)
	}
	return nil
}

// fits tells whether a tokenizer is there if it is needed, and of which style.
func fits(t *tokenizer.BPE, needed bool, style tokenizer.Style) error {
	switch {
	case t == nil && needed:
		return errors.New("the tokenizer is missing")
	case t != nil && !needed:
		return errors.New("a tokenizer without its network")
	case t != nil && t.Style() != style:
		return fmt.Errorf("a tokenizer of style %s, want %s", t.Style(), style)
	}
	return nil
}
