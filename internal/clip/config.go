// Package clip is CLIP (Radford et al. 2021): a vision tower and a text tower
// that meet in one space of width E. Tensors bear OpenAI's names.
package clip

import "fmt"

// Activation names the non-linearity of the towers' MLPs.
type Activation string

// OpenAI trained with QuickGELU; most open_clip models use the exact GELU.
const (
	QuickGELU Activation = "quick_gelu"
	GELU      Activation = "gelu"
)

// epsilon is the LayerNorm epsilon of every published CLIP.
const epsilon = 1e-5

// Config shapes both towers.
type Config struct {
	EmbedDim   int        `json:"embed_dim"`  // E, width of the common space; ViT-B/32: 512
	Activation Activation `json:"activation"` // of both towers
	Vision     Vision     `json:"vision"`
	Text       Text       `json:"text"`
}

// Vision shapes the image tower: a vision transformer (ViT) or, where ResNet is
// given, a ModifiedResNet.
type Vision struct {
	ImageSize int `json:"image_size"`           // pixels a side; ViT-B/32: 224, RN50x4: 288
	PatchSize int `json:"patch_size,omitempty"` // pixels a side, ViT alone; ViT-B/32: 32
	Width     int `json:"width"`                // units; ViT-B/32: 768, RN50: 64, the planes of its first stage
	Layers    int `json:"layers,omitempty"`     // blocks, ViT alone; ViT-B/32: 12
	Heads     int `json:"heads"`                // H; OpenAI: width/64, in a ResNet 32·width/64

	// ResNet is the number of blocks of a ModifiedResNet's four stages; RN50: 3, 4, 6, 3.
	ResNet [4]int `json:"resnet,omitzero"`
}

// Grid is the number of places that the tower parts a photo's side into.
func (v Vision) Grid() int {
	if v.IsResNet() {
		return v.ImageSize / reduction
	}
	return v.ImageSize / v.PatchSize
}

// IsResNet tells a ModifiedResNet from a ViT.
func (v Vision) IsResNet() bool { return v.ResNet != [4]int{} }

// Text shapes the text transformer.
type Text struct {
	ContextLength int `json:"context_length"` // T, tokens with start and end; OpenAI: 77
	VocabSize     int `json:"vocab_size"`     // V, entries; OpenAI: 49408
	Width         int `json:"width"`          // units; ViT-B/32: 512
	Layers        int `json:"layers"`         // blocks; OpenAI: 12
	Heads         int `json:"heads"`          // H; OpenAI: width/64

	// EndToken is the id at whose first position the text feature is read. 0
	// stands for OpenAI's rule: the first position of the largest id.
	EndToken int `json:"end_token,omitempty"`
}

// ViTB32 is OpenAI's ViT-B/32.
func ViTB32() Config {
	return Config{
		EmbedDim: 512, Activation: QuickGELU,
		Vision: Vision{ImageSize: 224, PatchSize: 32, Width: 768, Layers: 12, Heads: 12},
		Text:   Text{ContextLength: 77, VocabSize: 49408, Width: 512, Layers: 12, Heads: 8},
	}
}

// ViTL14At336 is OpenAI's largest, ViT-L/14 at 336 pixels.
func ViTL14At336() Config {
	return Config{
		EmbedDim: 768, Activation: QuickGELU,
		Vision: Vision{ImageSize: 336, PatchSize: 14, Width: 1024, Layers: 24, Heads: 16},
		Text:   Text{ContextLength: 77, VocabSize: 49408, Width: 768, Layers: 12, Heads: 12},
	}
}

// Validate reports the first size that cannot be built.
func (c Config) Validate() error {
	err := positive([]size{
		{"embed_dim", c.EmbedDim},
		{"text.context_length", c.Text.ContextLength}, {"text.vocab_size", c.Text.VocabSize},
		{"text.width", c.Text.Width}, {"text.layers", c.Text.Layers}, {"text.heads", c.Text.Heads},
	})
	switch {
	case err != nil:
		return err
	case c.Activation != QuickGELU && c.Activation != GELU:
		return fmt.Errorf("clip: activation is %q, want %q or %q", c.Activation, QuickGELU, GELU)
	case c.Text.Width%c.Text.Heads != 0:
		return fmt.Errorf("clip: text width %d is not a multiple of its %d heads", c.Text.Width, c.Text.Heads)
	}
	return c.Vision.validate()
}

func (v Vision) validate() error {
	sizes := []size{{"vision.image_size", v.ImageSize}, {"vision.width", v.Width}, {"vision.heads", v.Heads}}
	if v.IsResNet() {
		for _, blocks := range v.ResNet {
			sizes = append(sizes, size{"vision.resnet", blocks})
		}
	} else {
		sizes = append(sizes, size{"vision.patch_size", v.PatchSize}, size{"vision.layers", v.Layers})
	}
	err := positive(sizes)
	switch {
	case err != nil:
		return err
	case v.IsResNet() && v.ImageSize < reduction:
		return fmt.Errorf("clip: image_size %d is less than the %d pixels of one place of a ResNet", v.ImageSize, reduction)
	case v.IsResNet() && v.Width%2 != 0:
		return fmt.Errorf("clip: vision width %d is odd, and a ResNet's stem is half as wide", v.Width)
	case !v.IsResNet() && v.ImageSize%v.PatchSize != 0:
		return fmt.Errorf("clip: image_size %d is not a multiple of patch_size %d", v.ImageSize, v.PatchSize)
	case v.attentionWidth()%v.Heads != 0:
		return fmt.Errorf("clip: vision width %d is not a multiple of its %d heads", v.attentionWidth(), v.Heads)
	}
	return nil
}

// size is a number that must be more than 0.
type size struct {
	name  string
	value int
}

func positive(sizes []size) error {
	for _, s := range sizes {
		if s.value <= 0 {
			return fmt.Errorf("clip: %s is %d, want more than 0", s.name, s.value)
		}
	}
	return nil
}
