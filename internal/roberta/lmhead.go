package roberta

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/nn"
)

// LMHeadScope is where a store has the head of masked language modelling. Folders of
// models do without it.
const LMHeadScope = "lm_head"

// Predictions are the logits of the words that stood where the hidden states [N, D] are
// of, [N, V], by RoBERTa's head: LayerNorm(gelu(dense(h)))·Wᵀ + b, W being the table of
// words.
func (c Config) Predictions(root *model.Scope, hidden *Node) *Node {
	g, head := hidden.Graph(), root.At(LMHeadScope)
	h := nn.GELU(c.linear(head.At("dense"), hidden, c.Width))
	h = nn.LayerNorm(head.At("layer_norm"), h, c.Epsilon)
	words := root.At(Scope).At("embeddings").At("word_embeddings")
	table := nn.Param(words, g, "weight", nn.Normal(initialStd), c.VocabSize, c.Width)
	return nn.Project(h, table, nn.Param(head, g, "bias", nn.Constant(0), c.VocabSize))
}
