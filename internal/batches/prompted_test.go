package batches_test

import (
	"math"
	"reflect"
	"testing"

	"github.com/cutline-go/cutline/internal/batches"
)

// TestPrompted: prompts come as often as their weights say, and a batch is a function of
// its number.
func TestPrompted(t *testing.T) {
	rows := [][]float32{{0}, {1}, {2}}
	source := func() *batches.Prompted {
		return &batches.Prompted{Photos: embeddings(t, rows), Size: 50, Seed: 3, Prompts: []batches.Prompt{
			{Tokens: []int{1}, Weight: 6}, {Tokens: []int{2}, Weight: 3}, {Tokens: []int{3, 4}, Weight: 1},
		}}
	}
	p, counts := source(), make(map[int]float64)
	for update := range 60 {
		b, err := p.Batch(update)
		if err != nil {
			t.Fatal(err)
		}
		for _, prompt := range b.Prompts {
			counts[prompt[0]] += 1.0 / 3000
		}
		if update == 59 {
			if again, err := source().Batch(update); err != nil || !reflect.DeepEqual(again, b) {
				t.Errorf("update %d alone has another batch: %v", update, err)
			}
		}
	}
	for token, want := range map[int]float64{1: 0.6, 2: 0.3, 3: 0.1} {
		if math.Abs(counts[token]-want) > 0.03 {
			t.Errorf("prompt %d has a share of %.3f, want %.1f", token, counts[token], want)
		}
	}
}
