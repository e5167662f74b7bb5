package modelfolder

import (
	"errors"
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/nn"
)

// Align is what is done to a photo's embedding before a captioner that learned from
// texts reads it.
type Align string

// The ways.
const (
	AlignNone    Align = "none"
	AlignMean    Align = "mean"       // moved by the difference of the centres
	AlignMemory  Align = "memory"     // projected onto the memory, as DeCap does
	AlignNearest Align = "nearest"    // replaced by the nearest embedding of the memory
	AlignCaption Align = "caption"    // the nearest text of the memory is the caption
	AlignTextual Align = "textualise" // translated by the latent CycleGAN
)

// Centres tells of which embeddings the folder holds the means, centre.photo and
// centre.text: of photos and texts as the captioner's mapper reads them, so divided by
// their lengths where it normalises.
type Centres struct {
	Photos int `json:"photos,omitempty"` // how many; 0: there is no such mean
	Texts  int `json:"texts,omitempty"`
}

// CentreScope is where a store holds the means, "photo" and "text" [E].
const CentreScope = "centre"

// Declare asks for the means that there are.
func (c Centres) Declare(root *model.Scope, g *Graph, width int) {
	for name, count := range map[string]int{"photo": c.Photos, "text": c.Texts} {
		if count > 0 {
			nn.Param(root.At(CentreScope), g, name, nn.Constant(0), width)
		}
	}
}

// MAGIC is a language model beside a CLIP that guides it; they make a captioner
// without a mapper.
type MAGIC struct {
	decode.Contrast
	Start int `json:"start"` // the token that a text begins with
}

// validateTextOnly checks what captioners have that learned from texts.
func (c Config) validateTextOnly() error {
	if c.Captioner == nil && (c.Memory != nil || c.Centres != nil || c.Textualiser != nil || c.Align != "") {
		return errors.New("memory, centres, textualiser or align without captioner")
	}
	if err := c.validateTextualiser(); err != nil {
		return err
	}
	if m := c.Memory; m != nil && (m.Texts < 1 || !(m.Temperature > 0) || math.IsInf(m.Temperature, 0)) {
		return fmt.Errorf("memory of %d texts with inverse_temperature %g, want more than 0 of both", m.Texts, m.Temperature)
	}
	// A DeCap without its memory embeds and compares; it is an error to ask for captions.
	if err := c.CanAlign(c.Align); err != nil && c.Align != AlignMemory {
		return err
	}
	return c.validateMAGIC()
}

func (c Config) validateTextualiser() error {
	t := c.Textualiser
	if t == nil {
		return nil
	}
	if err := t.Validate(); err != nil {
		return err
	}
	switch {
	case t.Width != c.CLIP.EmbedDim:
		return fmt.Errorf("the textualiser reads embeddings of width %d, but the CLIP makes them %d wide", t.Width, c.CLIP.EmbedDim)
	case t.Normalize && !c.Captioner.Normalize:
		return errors.New("the textualiser normalises embeddings, but the captioner reads them as they are")
	}
	return nil
}

// CanAlign tells whether a captioner has what that way takes; "" stands for its own.
func (c Config) CanAlign(a Align) error {
	switch a {
	case "", AlignNone:
		return nil
	case AlignMean:
		if c.Centres == nil || c.Centres.Photos == 0 || c.Centres.Texts == 0 {
			return fmt.Errorf("align is %q, but the model has no centres of photos and texts: train it with photos to take the mean of", a)
		}
		return nil
	case AlignMemory, AlignNearest, AlignCaption:
		if c.Memory == nil {
			return fmt.Errorf("align is %q, but the model has no memory of texts: train decap keeps one, convert --decap takes --memory; none reads photos as they are", a)
		}
		return nil
	case AlignTextual:
		if c.Textualiser == nil {
			return fmt.Errorf("align is %q, but the model has no textualiser: train latent-cyclegan makes one", a)
		}
		return nil
	}
	return fmt.Errorf("align is %q, want %q, %q, %q, %q, %q or %q", a, AlignNone, AlignMean, AlignMemory, AlignNearest, AlignCaption, AlignTextual)
}

func (c Config) validateMAGIC() error {
	m := c.MAGIC
	if m == nil {
		return nil
	}
	if c.LanguageModel == nil || c.CLIP == nil {
		return errors.New("magic without language_model and clip")
	}
	if err := m.Validate(); err != nil {
		return fmt.Errorf("magic: %w", err)
	}
	for name, id := range map[string]int{"start": m.Start, "end": m.End} {
		if id < 0 || id >= c.LanguageModel.VocabSize {
			return fmt.Errorf("magic: %s is %d, outside of the vocabulary of %d", name, id, c.LanguageModel.VocabSize)
		}
	}
	if room := c.LanguageModel.Positions - 1; m.Length > room {
		return fmt.Errorf("magic: length is %d, but there is room for %d tokens", m.Length, room)
	}
	return nil
}
