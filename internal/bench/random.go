package bench

import (
	"fmt"
	"math/rand/v2"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/weights"
)

// ClipCapName names the networks that NewClipCap makes.
const ClipCapName = "vit-b-32+gpt2"

// clipCap has the sizes of ClipCap's networks: CLIP ViT-B/32, the MLP mapper to a prefix
// of 10, GPT-2 small.
func clipCap() modelfolder.Config {
	vit, image, gpt := clip.ViTB32(), imageproc.CLIP(224), gpt2.Small()
	return modelfolder.Config{
		CLIP: &vit, Image: &image,
		Captioner: &clipcap.Config{
			Mapper: mapper.Config{Kind: mapper.KindMLP, ClipWidth: vit.EmbedDim, PrefixLength: 10, Width: gpt.Width},
			GPT:    gpt,
		},
	}
}

// NewClipCap makes ClipCap's networks in their true sizes with random weights, of which
// only the time that they take is right.
func NewClipCap(engine compute.Backend) (*Networks, error) { return random(engine, clipCap()) }

func random(engine compute.Backend, c modelfolder.Config) (*Networks, error) {
	store, err := RandomStore(engine, c.Declare)
	if err != nil {
		return nil, err
	}
	return prepare(engine, store, c)
}

// RandomStore holds the variables that declare asks for, drawn from small numbers.
func RandomStore(engine compute.Backend, declare func(root *model.Scope, g *Graph)) (*model.Store, error) {
	store := model.NewStore()
	if err := weights.Declare(engine, store, declare); err != nil {
		return nil, err
	}
	// Drawn here: a graph that draws them takes several times their memory.
	rng := rand.New(rand.NewPCG(1, 1))
	for v := range store.IterVariables() {
		value, err := weights.OnEngine(engine, v.Shape(), func(flat []float32) {
			for i := range flat {
				flat[i] = 0.04 * (rng.Float32() - 0.5)
				if v.Name() == "running_var" { // of a batch normalisation, which divides by its root
					flat[i]++
				}
			}
		})
		if err == nil {
			err = v.SetValue(value)
		}
		if err != nil {
			return nil, fmt.Errorf("random weights: %w", err)
		}
	}
	return store, nil
}
