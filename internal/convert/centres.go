package convert

import (
	"fmt"

	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/weights"
)

// centreRows is how many captions, each with its photo, CapDec's script took the
// centres of. The file does not tell.
const centreRows = 20_000

// addCentres reads CapDec's file of the centres of embeddings, where one is named.
func (c *conversion) addCentres(s Sources) error {
	if s.Centres == "" {
		return nil
	}
	width := c.model.Config.CLIP.EmbedDim
	tensors, err := c.open(s.Centres, func(tensors []weights.Tensor) ([]weights.Tensor, error) {
		var out []weights.Tensor
		for _, t := range tensors {
			switch t.Name {
			case "center_image":
				t.Name = modelfolder.CentreScope + ".photo"
			case "center_text":
				t.Name = modelfolder.CentreScope + ".text"
			default: // the differences of the two
				continue
			}
			if len(t.Data) == 0 || t.Shape[len(t.Shape)-1] != width || len(t.Shape) == 2 && t.Shape[0] != 1 || len(t.Shape) > 2 {
				return nil, fmt.Errorf("a centre of shape %v, but the embeddings are %d wide", t.Shape, width)
			}
			t.Shape = []int{width}
			out = append(out, t)
		}
		if len(out) != 2 {
			return nil, fmt.Errorf("no center_image and center_text")
		}
		return out, nil
	})
	if err != nil {
		return err
	}
	c.model.Config.Centres = &modelfolder.Centres{Photos: centreRows, Texts: centreRows}
	c.add("", tensors)
	return nil
}
