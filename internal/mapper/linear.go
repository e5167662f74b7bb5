package mapper

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/nn"
)

// linear is DeCap's mapper, whose prefix is one vector:
//
//	prefix = W·e + b,  E → D
type linear Config

// Prefix maps embeddings [B, E] to prefixes [B, 1, D].
func (l linear) Prefix(scope *model.Scope, embedding *Node) *Node {
	embedding.AssertDims(-1, l.ClipWidth)
	return InsertAxes(nn.Linear(scope.At("linear"), embedding, l.Width), 1)
}
