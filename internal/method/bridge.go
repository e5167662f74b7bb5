package method

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/nn"
	"github.com/cutline-go/cutline/tokenizer"
)

// Reader lets the text tower of a frozen CLIP, whose variables lie in the store below
// clip.Scope, read what a language model of another vocabulary writes.
type Reader struct {
	CLIP       clip.Config
	Table      []float32 // [V, width], what stands for each token of the language model; see [NewTable]
	Start, End int       // CLIP's ids around a text
	Stop       []int     // the language model's ids that end a caption

	// Texts embeds captions, as ids of the language model, by CLIP's own tokens of
	// their texts: [B, E]. It is asked for by [BridgeText] alone.
	Texts func(ctx context.Context, captions [][]int) ([][]float32, error)
}

// NewTable is the matrix M·E of a bridge between two vocabularies: for each of so many
// tokens of from, the mean of the embeddings [V', width] of to's tokens for its text. A
// token that spells nothing, such as the end of all texts, is 0.
func NewTable(from, to *tokenizer.BPE, vocabulary int, embeddings []float32, width int) ([]float32, error) {
	if len(embeddings) < to.Size()*width {
		return nil, fmt.Errorf("method: %d numbers for %d tokens of width %d", len(embeddings), to.Size(), width)
	}
	table := make([]float32, vocabulary*width)
	for id := range min(vocabulary, from.Size()) {
		text := from.Line([]int{id})
		if !strings.ContainsFunc(text, unicode.IsGraphic) {
			continue
		}
		ids := to.Encode(text) // in lower case, which CLIP's tokens are
		for _, other := range ids {
			for j, v := range embeddings[other*width : (other+1)*width] {
				table[id*width+j] += v / float32(len(ids))
			}
		}
	}
	return table, nil
}

// bridgeScope holds the table, frozen, so that it is not copied at each update.
const bridgeScope = "bridge"

// keep puts the table into store, for a language model of so many tokens.
func (r Reader) keep(store *model.Store, vocabulary int) error {
	width := r.CLIP.Text.Width
	if len(r.Table) != vocabulary*width {
		return fmt.Errorf("method: a table of %d numbers for %d tokens of width %d", len(r.Table), vocabulary, width)
	}
	v, err := store.CreateVariable("/"+bridgeScope+"/table", tensors.FromFlatDataAndDimensions(r.Table, vocabulary, width))
	if err != nil {
		return fmt.Errorf("method: %w", err)
	}
	v.SetTrainable(false)
	return nil
}

// read embeds captions [N, E]: the start token, what stands for the caption's tokens up
// to the first that ends it, that one too, and the end token.
func (r Reader) read(root *model.Scope, captions drawn) *Node {
	g, width := captions.shares.Graph(), r.CLIP.Text.Width
	table := nn.Param(root.At(bridgeScope), g, "table", nn.Constant(0), captions.shares.Shape().Dim(-1), width)
	words := Mul(nn.Times(captions.shares, table), InsertAxes(captions.kept, -1))
	rows, length := words.Shape().Dim(0), words.Shape().Dim(1)

	scope := root.At(clip.Scope)
	marker := func(id int) *Node {
		return BroadcastToDims(Reshape(r.CLIP.Embed(scope, Const(g, []int32{int32(id)})), 1, 1, width), rows, 1, width)
	}
	end := ConvertDType(OnePlus(ReduceSum(captions.kept, -1)), dtypes.Int32) // [N]
	at := InsertAxes(OneHot(end, length+2, words.DType()), -1)               // [N, L+2, 1]
	x := Concatenate([]*Node{marker(r.Start), words, ZerosLike(marker(r.End))}, 1)
	x = Add(x, Mul(at, marker(r.End))) // where nothing else stands
	return r.CLIP.EncodeWords(scope, x, end)
}
