package mapper

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/nn"
)

// mlp is ClipCap's first mapper:
//
//	prefix = W₂·tanh(W₁·e + b₁) + b₂,  E → K·D/2 → K·D
type mlp Config

// Prefix maps embeddings [B, E] to prefixes [B, K, D].
func (m mlp) Prefix(scope *model.Scope, embedding *Node) *Node {
	embedding.AssertDims(-1, m.ClipWidth)
	layers := scope.At("model")
	h := Tanh(nn.Linear(layers.At("0"), embedding, m.PrefixLength*m.Width/2))
	h = nn.Linear(layers.At("2"), h, m.PrefixLength*m.Width)
	return Reshape(h, embedding.Shape().Dim(0), m.PrefixLength, m.Width)
}
