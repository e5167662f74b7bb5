package captioner

import (
	"context"
	"fmt"

	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/modelfolder"
)

// centres are the means of the embeddings of photos and texts, as the mapper reads
// them: [E] each, nil where the model has none.
type centres struct{ photo, text []float32 }

// loadCentres reads the means that the model holds.
func (o *opened) loadCentres() error {
	has := o.folder.Config.Centres
	if has == nil {
		return nil
	}
	for name, into := range map[string]*[]float32{"photo": &o.centres.photo, "text": &o.centres.text} {
		v := o.store.GetVariable("/" + modelfolder.CentreScope + "/" + name)
		if v == nil {
			continue // there is no such mean
		}
		value, err := v.Value()
		if err != nil {
			return fmt.Errorf("centre of %ss: %w", name, err)
		}
		if err := value.ConstFlatData(func(flat any) { *into = append(*into, flat.([]float32)...) }); err != nil {
			return fmt.Errorf("centre of %ss: %w", name, err)
		}
	}
	return nil
}

// aligned does to photos' embeddings what the captioner's Align says.
func (c *Captioner) aligned(ctx context.Context, embeddings [][]float32) ([][]float32, error) {
	if len(embeddings) == 0 {
		return embeddings, nil
	}
	if err := c.folder.Config.CanAlign(c.align); err != nil {
		return nil, fmt.Errorf("model %q: %w", c.folder.Config.Name, err)
	}
	switch memory := c.folder.Memory; c.align {
	case modelfolder.AlignMean:
		out := make([][]float32, len(embeddings))
		for i, e := range embeddings {
			if c.folder.Config.Captioner.Normalize {
				e = align.Unit(e)
			}
			out[i] = align.MeanShift(e, c.centres.photo, c.centres.text)
		}
		return out, nil
	case modelfolder.AlignTextual:
		return c.textualiser.Textualize(ctx, embeddings)
	case modelfolder.AlignMemory:
		return align.Project(memory, embeddings, c.folder.Config.Memory.Temperature)
	case modelfolder.AlignNearest:
		nearest, err := align.Nearest(memory, embeddings)
		if err != nil {
			return nil, err
		}
		out := make([][]float32, len(nearest))
		for i, row := range nearest {
			out[i] = make([]float32, memory.Width())
			memory.Block(row, row+1, out[i])
		}
		return out, nil
	}
	return embeddings, nil
}

// remembered returns the text of the memory that is nearest to each photo.
func (c *Captioner) remembered(embeddings [][]float32) ([][]Alternative, error) {
	if len(embeddings) == 0 {
		return nil, nil
	}
	nearest, err := align.Nearest(c.folder.Memory, embeddings)
	if err != nil {
		return nil, err
	}
	out := make([][]Alternative, len(nearest))
	for i, row := range nearest {
		out[i] = []Alternative{{Text: c.folder.Memory.Text(row)}}
	}
	return out, nil
}
