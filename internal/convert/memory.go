package convert

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/modelfolder"
)

// decapTemperature is the inverse temperature of the projection in DeCap's code.
const decapTemperature = 100

// addMemory embeds DeCap's captions with the CLIP, into a file that is gone afterwards,
// so that half a million take no more memory than a few.
func (c *conversion) addMemory(ctx context.Context, engine compute.Backend, s Sources) error {
	if s.Memory == "" {
		return nil
	}
	captions, err := dataset.LoadText(s.Memory)
	if err != nil {
		return err
	}
	store, config := model.NewStore(), &c.model.Config
	defer store.Finalize()
	folder := modelfolder.Folder{Model: c.model}
	if err := folder.Load(engine, store); err != nil {
		return err
	}
	encoder, err := clip.NewEncoder(engine, store, *config.CLIP)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "cutline-*")
	if err != nil {
		return err
	}
	c.opened = append(c.opened, temporary(dir))
	path := filepath.Join(dir, textsFile)
	err = dataset.WriteEmbeddings(ctx, path, len(captions), config.CLIP.EmbedDim, func(ctx context.Context, from, to int) ([][]float32, error) {
		tokens := make([][]int32, to-from)
		for i := range tokens {
			var err error
			if tokens[i], err = c.model.CLIPTokenizer.Context(captions[from+i], config.CLIP.Text.ContextLength, true); err != nil {
				return nil, fmt.Errorf("%s: %.80q: %w", s.Memory, captions[from+i], err)
			}
		}
		return encoder.Text(ctx, tokens)
	})
	if err != nil {
		return err
	}
	embeddings, err := dataset.OpenEmbeddings(path)
	if err != nil {
		return err
	}
	c.opened = append(c.opened, embeddings)
	config.Memory = &modelfolder.MemoryConfig{Texts: len(captions), Temperature: decapTemperature}
	c.model.Memory, err = modelfolder.NewMemory(captions, embeddings.Block(0, len(captions)))
	return err
}

// temporary is a folder that is removed in the end.
type temporary string

func (t temporary) Close() error { return os.RemoveAll(string(t)) }
