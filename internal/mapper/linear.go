package mapper

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/nn"
)

// linear is DeCap's mapper, whose prefix is one vector, and what ClipCap's predict.py
// builds instead of an MLP where the prefix is longer than 10:
//
//	prefix = W·e + b,  E → K·D
type linear Config

// Prefix maps embeddings [B, E] to prefixes [B, K, D].
func (l linear) Prefix(scope *model.Scope, embedding *Node) *Node {
	embedding.AssertDims(-1, l.ClipWidth)
	x := nn.Linear(scope.At("linear"), embedding, l.PrefixLength*l.Width)
	return Reshape(x, embedding.Shape().Dim(0), l.PrefixLength, l.Width)
}
