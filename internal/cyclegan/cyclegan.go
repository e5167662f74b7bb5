// Package cyclegan is the networks of the latent CycleGAN (Bielawski and VanRullen
// 2022): generators that translate CLIP's embeddings of photos into such of texts and
// back, and discriminators that tell translated embeddings from true ones.
package cyclegan

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/nn"
)

// Scopes of the four networks in a store. The generator of texts is what the paper
// calls textualising: it reads photos.
const (
	TextGenerator      = "text_generator"
	PhotoGenerator     = "photo_generator"
	TextDiscriminator  = "text_discriminator"
	PhotoDiscriminator = "photo_discriminator"
)

// Config describes a generator.
type Config struct {
	Width  int `json:"width"`  // E, of all layers; ViT-B/32: 512
	Layers int `json:"layers"` // paper: 4

	// FinalActivation puts a tanh behind the last layer as well, whose output then lies
	// in (−1, 1). The paper does not say.
	FinalActivation bool `json:"final_activation"`

	// Normalize divides embeddings by their lengths before all else. The paper does not
	// say; CLIP's own numbers leave (−1, 1).
	Normalize bool `json:"normalize"`
}

// Validate reports the first field that cannot be built.
func (c Config) Validate() error {
	switch {
	case c.Width <= 0:
		return fmt.Errorf("cyclegan: width is %d, want more than 0", c.Width)
	case c.Layers <= 0:
		return fmt.Errorf("cyclegan: layers is %d, want more than 0", c.Layers)
	case c.FinalActivation && !c.Normalize:
		return fmt.Errorf("cyclegan: final_activation keeps what is generated between -1 and 1, which embeddings leave that normalize does not divide by their lengths")
	}
	return nil
}

// Read is what the networks read of embeddings [B, E].
func (c Config) Read(embedding *Node) *Node {
	embedding.AssertDims(-1, c.Width)
	if c.Normalize {
		return nn.Unit(embedding)
	}
	return embedding
}

// Generate translates what [Config.Read] gives [B, E] into the other modality:
// [B, E].
func (c Config) Generate(scope *model.Scope, x *Node) *Node {
	for layer := range c.Layers {
		x = nn.Linear(scope.At("layers").At("%d", layer), x, c.Width)
		if layer < c.Layers-1 || c.FinalActivation {
			x = Tanh(x)
		}
	}
	return x
}

// Textualize translates embeddings of photos [B, E] into such of texts: [B, E].
func (c Config) Textualize(root *model.Scope, photos *Node) *Node {
	return c.Generate(root.At(TextGenerator), c.Read(photos))
}

// Declare asks for every variable of the generator of texts.
func (c Config) Declare(root *model.Scope, g *Graph) {
	c.Textualize(root, Zeros(g, shapes.Make(dtypes.Float32, 1, c.Width)))
}

// slope is LeakyReLU's for negative numbers, as in CycleGAN.
const slope = 0.2

// Discriminate judges embeddings [B, E] by a hidden layer of so many units: [B, 1],
// 1 for true ones and 0 for generated ones, once it is trained.
func Discriminate(scope *model.Scope, x *Node, hidden int) *Node {
	layers := scope.At("layers")
	h := nn.Linear(layers.At("0"), x, hidden)
	h = Max(h, MulScalar(h, slope))
	return nn.Linear(layers.At("1"), h, 1)
}
