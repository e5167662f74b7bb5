package method

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/nn"
)

// Classification is what equation (5) adds: the photo's embedding is to tell, by one linear layer that
// is dropped afterwards, which words people use of it.
type Classification struct {
	Weight   float64   // κ
	Scarcity []float32 // [V], for each token of CLIP's tokenizer, log(photos / (1 + photos that it is said of))
}

// WordsScope is where a store holds the layer.
const WordsScope = "words"

// loss is equation (5) for embeddings [B, E] and shares y [B, V].
func (c *Classification) loss(root *model.Scope, image, shares *Node) *Node {
	// The length of an embedding says nothing to those who read it later.
	direction := MulScalar(nn.Unit(image), wordsScale)
	return loss.SharedCrossEntropy(nn.Linear(root.At(WordsScope), direction, len(c.Scarcity)), shares)
}

// wordsScale spreads logits enough for the weights to begin with.
const wordsScale = 16

// shares is y of equation (5), from the tokens of all captions of each photo.
func (c *Classification) shares(said [][]int32) ([][]float32, error) {
	rows := make([][]float32, len(said))
	for i, tokens := range said {
		row, total := make([]float32, len(c.Scarcity)), float32(0)
		heard := make([]bool, len(row))
		for _, token := range tokens {
			switch {
			case token < 0 || int(token) >= len(row):
				return nil, fmt.Errorf("method: token %d of photo %d is not among %d", token, i, len(row))
			case heard[token]:
				scarcity := max(c.Scarcity[token], 0)
				row[token] += scarcity
				total += scarcity
			}
			heard[token] = true
		}
		for j := range row {
			row[j] /= max(total, 1e-12)
		}
		rows[i] = row
	}
	return rows, nil
}

// mixed adds to each row a share of the one that stands as far from the batch's end as it
// does from its beginning, and takes as much of its own.
func mixed(rows [][]float32, share float32) [][]float32 {
	if share == 0 {
		return rows
	}
	out := make([][]float32, len(rows))
	for i, row := range rows {
		other := rows[len(rows)-1-i]
		out[i] = make([]float32, len(row))
		for j, v := range row {
			out[i][j] = (1-share)*v + share*other[j]
		}
	}
	return out
}

// inputs is y of a batch, mixed as its photos are.
func (c *Classification) inputs(batch Photos) (*tensors.Tensor, error) {
	shares, err := c.shares(batch.Words)
	if err != nil {
		return nil, err
	}
	return matrix(mixed(shares, batch.Mix))
}
