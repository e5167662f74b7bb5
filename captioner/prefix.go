package captioner

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/nn"
)

// PrefixWords tells what the vectors that the mapper makes of a photo's embedding are
// near: for each of them the n tokens whose embeddings have the largest cosine with it,
// and the cosines. A fine-tuned language model's prefix is mostly none of its words
// (Mokady et al. 2021, section 4.3).
func (c *Captioner) PrefixWords(ctx context.Context, embedding []float32, n int) (tokens [][]string, cosines [][]float64, err error) {
	release, err := c.hold()
	if err != nil {
		return nil, nil, err
	}
	defer release()
	config := c.folder.Config.Captioner
	switch {
	case config == nil:
		return nil, nil, fmt.Errorf("model %q has no mapper, and so no prefix", c.folder.Config.Name)
	case len(embedding) != config.Mapper.ClipWidth:
		return nil, nil, fmt.Errorf("an embedding of width %d, want %d", len(embedding), config.Mapper.ClipWidth)
	case c.align == modelfolder.AlignCaption:
		return nil, nil, fmt.Errorf("a caption that is looked up has no prefix")
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	moved, err := c.aligned(ctx, [][]float32{embedding})
	if err != nil {
		return nil, nil, err
	}
	likeness, err := model.CallOnce(c.engine, c.store, func(root *model.Scope, embedding *Node) *Node {
		return prefixLikeness(*config, root, embedding)
	}, moved)
	if err != nil {
		return nil, nil, fmt.Errorf("prefix: %w", err)
	}
	flat, err := tensors.CopyFlatData[float32](likeness)
	if err != nil {
		return nil, nil, fmt.Errorf("prefix: %w", err)
	}
	for row := range slices.Chunk(flat, config.GPT.VocabSize) {
		row = row[:min(len(row), c.folder.GPTTokenizer.Size())]
		order := make([]int, len(row))
		for id := range order {
			order[id] = id
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(row[b], row[a]) })
		var words []string
		var values []float64
		for _, id := range order[:min(n, len(order))] {
			words = append(words, c.folder.GPTTokenizer.Decode([]int{id}))
			values = append(values, float64(row[id]))
		}
		tokens, cosines = append(tokens, words), append(cosines, values)
	}
	return tokens, cosines, nil
}

// prefixLikeness is the cosines of a prefix's vectors with all tokens: [K, V].
func prefixLikeness(c clipcap.Config, root *model.Scope, embedding *Node) *Node {
	prefix := nn.Unit(c.Prefix(root, embedding))
	ids := Iota(embedding.Graph(), shapes.Make(dtypes.Int32, 1, c.GPT.VocabSize), 1)
	words := nn.Unit(c.GPT.Embed(root.At(clipcap.GPTScope).At("transformer"), ids))
	return Einsum("bkd,bvd->kv", prefix, words)
}
