package clipcap

import (
	"fmt"

	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/nn"
)

// mapperHeads is the number of heads of ClipCap's transformer mapper, whatever its
// width.
const mapperHeads = 8

// Infer finds the mapper and the language model of a ClipCap checkpoint from the
// shapes of its tensors. The language model's heads are in no tensor; 0 stands for
// D/64. Nor does the file tell whether embeddings are normalised: the released
// transformer expects it, the MLPs do not, and Normalize is set accordingly.
func Infer(shapes map[string][]int, heads int) (Config, error) {
	gpt, err := gpt2.Infer(shapes, GPTScope+".transformer.", heads)
	if err != nil {
		return Config{}, err
	}
	m, err := inferMapper(shapes, gpt.Width)
	if err != nil {
		return Config{}, err
	}
	c := Config{Mapper: m, GPT: gpt, Normalize: m.Kind == mapper.KindTransformer}
	return c, c.Validate()
}

func inferMapper(shapes map[string][]int, width int) (mapper.Config, error) {
	const prefix = MapperScope + "."
	last := shapes[prefix+"model.2.weight"]
	first := shapes[prefix+"model.0.weight"]
	constant := shapes[prefix+"prefix_const"]
	linear := shapes[prefix+"linear.weight"]
	switch {
	case len(first) == 2 && len(last) == 2:
		return mapper.Config{Kind: mapper.KindMLP, ClipWidth: first[1], PrefixLength: last[0] / width, Width: width}, nil
	case len(constant) == 2 && len(linear) == 2:
		return mapper.Config{
			Kind: mapper.KindTransformer, ClipWidth: linear[1], PrefixLength: constant[0], Width: width,
			ClipLength: linear[0] / width, Heads: mapperHeads,
			Layers: nn.Blocks(shapes, prefix+"transformer.layers."),
		}, nil
	case len(linear) == 2:
		return mapper.Config{Kind: mapper.KindLinear, ClipWidth: linear[1], PrefixLength: linear[0] / width, Width: width}, nil
	}
	return mapper.Config{}, fmt.Errorf("clipcap: no mapper below %s: neither an MLP, a transformer nor a linear layer", MapperScope)
}
