package weights_test

import (
	"slices"
	"testing"

	"github.com/cutline-go/cutline/internal/weights"
)

func TestRoBERTaNames(t *testing.T) {
	rename := func(names ...string) []string {
		var in []weights.Tensor
		for _, name := range names {
			in = append(in, weights.Tensor{Name: name})
		}
		var out []string
		for _, t := range weights.RoBERTa(in) {
			out = append(out, t.Name)
		}
		return out
	}
	want := []string{"roberta.embeddings.LayerNorm.weight", "roberta.encoder.layer.0.output.LayerNorm.bias", "roberta.pooler.dense.bias"}
	bare := rename("embeddings.LayerNorm.gamma", "encoder.layer.0.output.LayerNorm.beta", "pooler.dense.bias", "embeddings.position_ids")
	headed := rename("roberta.embeddings.LayerNorm.weight", "roberta.encoder.layer.0.output.LayerNorm.bias",
		"roberta.pooler.dense.bias", "roberta.embeddings.position_ids", "lm_head.dense.weight", "lm_head.decoder.weight", "classifier.dense.weight")
	if !slices.Equal(bare, want) || !slices.Equal(headed, want) {
		t.Errorf("names are %v and %v, want %v", bare, headed, want)
	}
}
