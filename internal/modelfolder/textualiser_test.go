package modelfolder_test

import (
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/cyclegan"
	"github.com/cutline-go/cutline/internal/modelfolder"
)

// TestTextualiser: a textualiser fits its CLIP and its captioner, and is what the
// alignment of that name takes.
func TestTextualiser(t *testing.T) {
	for want, change := range map[string]func(*modelfolder.Config){
		"":                       func(*modelfolder.Config) {},
		"width is 0":             func(c *modelfolder.Config) { c.Textualiser.Width = 0 },
		"width 9":                func(c *modelfolder.Config) { c.Textualiser.Width = 9 },
		"reads them as they are": func(c *modelfolder.Config) { c.Captioner.Normalize = false },
		"has no textualiser":     func(c *modelfolder.Config) { c.Textualiser = nil },
		"without captioner":      func(c *modelfolder.Config) { c.Captioner, c.StopTokens, c.MaxTokens, c.Align = nil, nil, 0, "" },
	} {
		c := random(t).Config
		captioner := *c.Captioner
		captioner.Normalize = true
		c.Captioner, c.Align = &captioner, modelfolder.AlignTextual
		c.Textualiser = &cyclegan.Config{Width: 8, Layers: 2, FinalActivation: true, Normalize: true}
		change(&c)
		switch err := c.Validate(); {
		case want == "" && err != nil:
			t.Error(err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%v, want %q", err, want)
		}
	}
}
