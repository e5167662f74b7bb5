package recipe

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// loadStart gives store the towers of the model folder that c starts from, and
// returns its tokenizer. The towers must be those of c, but for the size of photos.
func (c CLIP) loadStart(store *model.Store) (*tokenizer.BPE, error) {
	folder, err := modelfolder.Open(c.Start)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	if folder.Config.CLIP == nil {
		return nil, fmt.Errorf("%s: holds a %s, want a CLIP", c.Start, folder.Config.Kind())
	}
	from, to := *folder.Config.CLIP, c.Network
	from.Vision.ImageSize, to.Text.VocabSize = to.Vision.ImageSize, from.Text.VocabSize
	if from != to {
		return nil, fmt.Errorf("%s: its network is %+v, want %+v", c.Start, from, to)
	}
	for _, t := range folder.Tensors {
		if !strings.HasPrefix(t.Name, clip.Scope+".") {
			continue
		}
		values, err := t.Float32()
		if err != nil {
			return nil, err
		}
		shape := slices.Clone(t.Shape)
		if strings.HasPrefix(t.Name, clip.Scope+".visual.") && strings.HasSuffix(t.Name, ".positional_embedding") {
			grid := int(math.Round(math.Sqrt(float64(shape[0] - 1))))
			values = clip.StretchPositions(values, shape[1], grid, c.Network.Vision.Grid())
			shape[0] = len(values) / shape[1]
		}
		if _, err := store.CreateVariable(weights.VariablePath(t.Name), tensors.FromFlatDataAndDimensions(values, shape...)); err != nil {
			return nil, err
		}
	}
	return folder.CLIPTokenizer, nil
}
