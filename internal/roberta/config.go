// Package roberta is the text encoder RoBERTa (Liu et al. 2019) with its pooler, and
// the head by which CgT-GAN (Yu et al. 2023) tells written captions from generated
// ones. Tensors bear the names of Hugging Face's checkpoints below "roberta.", the
// head those of CgT-GAN's below "mlp.".
package roberta

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/cutline-go/cutline/internal/nn"
)

// Config is the part of Hugging Face's config.json that shapes the network.
type Config struct {
	VocabSize    int     `json:"vocab_size"`              // V, entries; base: 50265
	Positions    int     `json:"max_position_embeddings"` // rows of the table; base: 514, for 512 tokens
	Width        int     `json:"hidden_size"`             // D, units; base: 768
	Layers       int     `json:"num_hidden_layers"`       // blocks; base: 12
	Heads        int     `json:"num_attention_heads"`     // H; base: 12
	Intermediate int     `json:"intermediate_size"`       // units between the layers of a block's MLP; base: 3072
	PadToken     int     `json:"pad_token_id"`            // RoBERTa: 1
	Epsilon      float64 `json:"layer_norm_eps"`          // RoBERTa: 1e-5

	// Dropout rates while training, 0 to 1; RoBERTa: 0.1 each.
	HiddenDropout    float64 `json:"hidden_dropout_prob"`
	AttentionDropout float64 `json:"attention_probs_dropout_prob"`
}

// Base is roberta-base, 124 million parameters with the pooler.
func Base() Config {
	return Config{
		VocabSize: 50265, Positions: 514, Width: 768, Layers: 12, Heads: 12, Intermediate: 3072,
		PadToken: 1, Epsilon: 1e-5, HiddenDropout: 0.1, AttentionDropout: 0.1,
	}
}

// MaxTokens is the longest text, <s> and </s> included: positions are counted from
// the padding token's id on.
func (c Config) MaxTokens() int { return c.Positions - c.PadToken - 1 }

// Validate reports the first size that cannot be built.
func (c Config) Validate() error {
	for _, size := range []struct {
		name  string
		value int
	}{
		{"vocab_size", c.VocabSize}, {"max_position_embeddings", c.Positions}, {"hidden_size", c.Width},
		{"num_hidden_layers", c.Layers}, {"num_attention_heads", c.Heads}, {"intermediate_size", c.Intermediate},
	} {
		if size.value <= 0 {
			return fmt.Errorf("roberta: %s is %d, want more than 0", size.name, size.value)
		}
	}
	switch {
	case c.PadToken < 0 || c.PadToken >= c.VocabSize:
		return fmt.Errorf("roberta: pad_token_id %d is outside of the vocabulary of %d", c.PadToken, c.VocabSize)
	case c.MaxTokens() < 2:
		return fmt.Errorf("roberta: max_position_embeddings %d leave no room for <s> and </s>", c.Positions)
	case c.Width%c.Heads != 0:
		return fmt.Errorf("roberta: hidden_size %d is not a multiple of %d heads", c.Width, c.Heads)
	case !(c.Epsilon > 0) || math.IsInf(c.Epsilon, 0):
		return fmt.Errorf("roberta: layer_norm_eps is %g, want more than 0", c.Epsilon)
	}
	return nil
}

// ParseHuggingFace reads the config.json of a Hugging Face RoBERTa.
func ParseHuggingFace(data []byte) (Config, error) {
	hf := struct {
		Config
		ModelType  string `json:"model_type"`
		Activation string `json:"hidden_act"`
		Types      int    `json:"type_vocab_size"`
		Position   string `json:"position_embedding_type"`
	}{Types: tokenTypes}
	if err := json.Unmarshal(data, &hf); err != nil {
		return Config{}, fmt.Errorf("roberta: config: %w", err)
	}
	switch {
	case hf.ModelType != "roberta":
		return Config{}, fmt.Errorf("roberta: config: model_type is %q, want \"roberta\"", hf.ModelType)
	case hf.Activation != "" && hf.Activation != "gelu":
		return Config{}, fmt.Errorf("roberta: config: hidden_act is %q, want \"gelu\"", hf.Activation)
	case hf.Types != tokenTypes:
		return Config{}, fmt.Errorf("roberta: config: type_vocab_size is %d, want %d", hf.Types, tokenTypes)
	case hf.Position != "" && hf.Position != "absolute":
		return Config{}, fmt.Errorf("roberta: config: position_embedding_type is %q, want \"absolute\"", hf.Position)
	}
	return hf.Config, hf.Config.Validate()
}

// headWidth is the width of an attention head in both released sizes.
const headWidth = 64

// Infer finds the sizes of a RoBERTa from the shapes of its tensors below
// [Scope]. Heads are taken to be 64 wide, the padding token to be RoBERTa's.
func Infer(shapes map[string][]int) (Config, error) {
	c := Base()
	const prefix = Scope + "."
	words, positions := shapes[prefix+"embeddings.word_embeddings.weight"], shapes[prefix+"embeddings.position_embeddings.weight"]
	inner := shapes[prefix+"encoder.layer.0.intermediate.dense.weight"]
	if len(words) != 2 || len(positions) != 2 || len(inner) != 2 {
		return c, fmt.Errorf("roberta: no matrices %[1]sembeddings.word_embeddings.weight, %[1]sembeddings.position_embeddings.weight and %[1]sencoder.layer.0.intermediate.dense.weight: not a RoBERTa", prefix)
	}
	c.VocabSize, c.Width, c.Positions, c.Intermediate = words[0], words[1], positions[0], inner[0]
	c.Layers = nn.Blocks(shapes, prefix+"encoder.layer.")
	c.Heads = max(1, c.Width/headWidth)
	return c, c.Validate()
}
