package weights

import "strings"

// RoBERTa returns the tensors of a RoBERTa checkpoint under the names of Hugging
// Face's models with a head, which begin with "roberta."; those of a bare model lack
// it. The heads and the buffer of position ids are left out, and TensorFlow's gamma
// and beta become weight and bias.
func RoBERTa(tensors []Tensor) []Tensor {
	const prefix = "roberta."
	var out []Tensor
	for _, t := range tensors {
		first, _, _ := strings.Cut(strings.TrimPrefix(t.Name, prefix), ".")
		if first != "embeddings" && first != "encoder" && first != "pooler" || strings.HasSuffix(t.Name, ".position_ids") {
			continue
		}
		for _, pair := range [][2]string{{".LayerNorm.gamma", ".LayerNorm.weight"}, {".LayerNorm.beta", ".LayerNorm.bias"}} {
			if stem, ok := strings.CutSuffix(t.Name, pair[0]); ok {
				t.Name = stem + pair[1]
			}
		}
		t.Name = prefix + strings.TrimPrefix(t.Name, prefix)
		out = append(out, t)
	}
	return out
}
