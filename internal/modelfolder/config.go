// Package modelfolder is what a trained model is on disk: training and conversion
// write such a folder, inference opens it, and they share nothing else.
//
//	config.json        the networks and all that using them takes: [Config]
//	model.safetensors  clip.…, clip_project.…, gpt.transformer.…, centre.…, text_generator.…
//	memory.safetensors embeddings and texts, where the captioner looks photos up
//	clip_tokenizer/    vocab.json and merges.txt, where there is a CLIP
//	gpt_tokenizer/     the same, where there is a language model
//	roberta_tokenizer/ the same, of a RoBERTa
//	run.json           how it was trained, where it was; for people and reruns
package modelfolder

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/cyclegan"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/roberta"
)

// Version is the layout of folders that this package reads and writes.
const Version = 1

// Config is config.json. A folder holds a captioner (CLIP with Captioner, or with a
// language model and MAGIC), or a CLIP, a language model or a RoBERTa alone.
type Config struct {
	Version int    `json:"version"`
	Name    string `json:"name"` // for people, logs and servers

	CLIPName string            `json:"clip_name,omitempty"` // as its makers call it, "ViT-B/32"
	CLIP     *clip.Config      `json:"clip,omitempty"`
	Image    *imageproc.Config `json:"image,omitempty"` // how that CLIP wants its photos

	Captioner     *clipcap.Config `json:"captioner,omitempty"`
	LanguageModel *gpt2.Config    `json:"language_model,omitempty"` // one that stands alone
	RoBERTa       *roberta.Config `json:"roberta,omitempty"`        // where CgT-GAN's discriminator starts

	// What ends a text: "." for ClipCap. The stop token itself is part of it.
	StopTokens []int `json:"stop_tokens,omitempty"`
	MaxTokens  int   `json:"max_tokens,omitempty"` // longest text that is generated unasked; ClipCap: 67

	Lowercase bool `json:"lowercase,omitempty"` // captions are lower-cased, as CapDec's code does

	// How a captioner searches unasked. A small model repeats safe sentences when it
	// takes the most probable token; among a few beams its CLIP finds a better one.
	Beams  int  `json:"beams,omitempty"`  // 0 stands for greedy search
	Rerank bool `json:"rerank,omitempty"` // of the beams, the one that fits the photo best by the CLIP

	// Captioners that learned from texts.
	Align   Align         `json:"align,omitempty"`   // what is done to photos' embeddings unasked; empty: nothing
	Centres *Centres      `json:"centres,omitempty"` // of the embeddings
	Memory  *MemoryConfig `json:"memory,omitempty"`
	MAGIC   *MAGIC        `json:"magic,omitempty"` // language_model and clip write together

	// Textualiser is the latent CycleGAN's generator of texts' embeddings.
	Textualiser *cyclegan.Config `json:"textualiser,omitempty"`
}

// Kind tells the kinds of folder apart.
type Kind string

// The kinds of folder.
const (
	Captioner     Kind = "captioner"
	CLIP          Kind = "CLIP"
	LanguageModel Kind = "language model"
	RoBERTa       Kind = "RoBERTa"
)

// Kind returns what a valid c describes.
func (c Config) Kind() Kind {
	switch {
	case c.Captioner != nil || c.MAGIC != nil:
		return Captioner
	case c.CLIP != nil:
		return CLIP
	case c.RoBERTa != nil:
		return RoBERTa
	}
	return LanguageModel
}

// GPT returns the language model of c, nil where there is none.
func (c Config) GPT() *gpt2.Config {
	if c.Captioner != nil {
		return &c.Captioner.GPT
	}
	return c.LanguageModel
}

// Validate reports the first thing that cannot be built or does not fit.
func (c Config) Validate() error {
	switch {
	case c.Version != Version:
		return fmt.Errorf("version is %d, want %d", c.Version, Version)
	case !printable(c.Name):
		return fmt.Errorf("name is %.80q, want a line of 1 to %d bytes", c.Name, maxName)
	case c.Captioner == nil && c.CLIP == nil && c.LanguageModel == nil && c.RoBERTa == nil:
		return errors.New("describes no network: want captioner, clip, language_model or roberta")
	case c.LanguageModel != nil && (c.CLIP != nil || c.Captioner != nil || c.RoBERTa != nil) && c.MAGIC == nil:
		return errors.New("language_model stands beside another network")
	case c.MAGIC != nil && (c.Captioner != nil || c.RoBERTa != nil):
		return errors.New("magic stands beside another network than language_model and clip")
	case c.RoBERTa != nil && (c.CLIP != nil || c.Captioner != nil):
		return errors.New("roberta stands beside another network")
	case c.Captioner != nil && c.CLIP == nil:
		return errors.New("captioner without clip")
	}
	if err := c.validateCLIP(); err != nil {
		return err
	}
	if err := c.validateCaptioner(); err != nil {
		return err
	}
	if err := c.validateTextOnly(); err != nil {
		return err
	}
	if c.RoBERTa != nil {
		if err := c.RoBERTa.Validate(); err != nil {
			return err
		}
	}
	return c.validateText()
}

const maxName = 200 // bytes

// printable tells whether a name can stand in logs and headers.
func printable(name string) bool {
	strange := func(r rune) bool { return !unicode.IsPrint(r) }
	return name != "" && len(name) <= maxName && utf8.ValidString(name) && !strings.ContainsFunc(name, strange)
}

func (c Config) validateCLIP() error {
	if c.CLIP == nil {
		if c.Image != nil || c.CLIPName != "" {
			return errors.New("image or clip_name without clip")
		}
		return nil
	}
	if err := c.CLIP.Validate(); err != nil {
		return err
	}
	switch text := c.CLIP.Text; {
	case !printable(c.CLIPName):
		return fmt.Errorf("clip_name is %.80q, want a line of 1 to %d bytes", c.CLIPName, maxName)
	case c.Image == nil:
		return errors.New("clip without image, its preprocessing")
	case c.Image.Size != c.CLIP.Vision.ImageSize:
		return fmt.Errorf("image.size is %d, but the CLIP sees %d pixels a side", c.Image.Size, c.CLIP.Vision.ImageSize)
	case text.EndToken < 0 || text.EndToken >= text.VocabSize:
		return fmt.Errorf("clip: end_token %d is outside of the vocabulary of %d", text.EndToken, text.VocabSize)
	}
	return c.Image.Validate()
}

func (c Config) validateCaptioner() error {
	if c.Captioner == nil {
		if c.Beams != 0 || c.Rerank || c.Lowercase {
			return errors.New("beams, rerank or lowercase without captioner")
		}
		return nil
	}
	if c.Beams < 0 || (c.Rerank && c.Beams < 2) {
		return fmt.Errorf("beams is %d, want 0 or more, and 2 or more to rerank", c.Beams)
	}
	if err := c.Captioner.Validate(); err != nil {
		return err
	}
	if e := c.Captioner.Mapper.ClipWidth; e != c.CLIP.EmbedDim {
		return fmt.Errorf("the mapper reads embeddings of width %d, but the CLIP makes them %d wide", e, c.CLIP.EmbedDim)
	}
	return nil
}

func (c Config) validateText() error {
	gpt := c.GPT()
	if gpt == nil {
		if len(c.StopTokens) > 0 || c.MaxTokens != 0 {
			return errors.New("stop_tokens or max_tokens without a language model")
		}
		return nil
	}
	if err := gpt.Validate(); err != nil {
		return err
	}
	for _, id := range c.StopTokens {
		if id < 0 || id >= gpt.VocabSize {
			return fmt.Errorf("stop token %d is outside of the vocabulary of %d", id, gpt.VocabSize)
		}
	}
	room := gpt.Positions
	if c.Captioner != nil {
		room -= c.Captioner.Begin()
	}
	if c.MaxTokens < 1 || c.MaxTokens > room {
		return fmt.Errorf("max_tokens is %d, but there is room for 1 to %d", c.MaxTokens, room)
	}
	return nil
}

// Declare asks for every variable of the networks, without running them.
func (c Config) Declare(root *model.Scope, g *Graph) {
	if c.CLIP != nil {
		c.CLIP.Declare(root.At(clip.Scope), g)
	}
	if c.Captioner != nil {
		c.Captioner.Declare(root, g)
	}
	if c.LanguageModel != nil {
		c.LanguageModel.Declare(root.At(clipcap.GPTScope).At("transformer"), g)
	}
	if c.Centres != nil {
		c.Centres.Declare(root, g, c.CLIP.EmbedDim)
	}
	if c.Textualiser != nil {
		c.Textualiser.Declare(root, g)
	}
	if c.RoBERTa != nil {
		c.RoBERTa.Declare(root, g)
	}
}

// blocks counts the blocks of all networks, each of which has tensors of its own.
func (c Config) blocks() int {
	total := 0
	if c.CLIP != nil {
		total += c.CLIP.Vision.Layers + c.CLIP.Text.Layers
		for _, stage := range c.CLIP.Vision.ResNet {
			total += stage
		}
	}
	if c.Captioner != nil {
		total += c.Captioner.Mapper.Layers
	}
	if gpt := c.GPT(); gpt != nil {
		total += gpt.Layers
	}
	if c.Textualiser != nil {
		total += c.Textualiser.Layers
	}
	if c.RoBERTa != nil {
		total += c.RoBERTa.Layers
	}
	return total
}
