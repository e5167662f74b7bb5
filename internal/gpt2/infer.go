package gpt2

import (
	"encoding/json"
	"fmt"

	"github.com/cutline-go/cutline/internal/nn"
)

// ParseHuggingFace reads the config.json of a Hugging Face GPT-2.
func ParseHuggingFace(data []byte) (Config, error) {
	var hf struct {
		Config
		ModelType  string `json:"model_type"`
		Activation string `json:"activation_function"`
		Inner      *int   `json:"n_inner"`
	}
	if err := json.Unmarshal(data, &hf); err != nil {
		return Config{}, fmt.Errorf("gpt2: config: %w", err)
	}
	switch {
	case hf.ModelType != "gpt2":
		return Config{}, fmt.Errorf("gpt2: config: model_type is %q, want \"gpt2\"", hf.ModelType)
	case hf.Activation != "" && hf.Activation != "gelu_new":
		return Config{}, fmt.Errorf("gpt2: config: activation_function is %q, want \"gelu_new\"", hf.Activation)
	case hf.Inner != nil && *hf.Inner != 4*hf.Width:
		return Config{}, fmt.Errorf("gpt2: config: n_inner is %d, want 4 × %d", *hf.Inner, hf.Width)
	}
	return hf.Config, hf.Config.Validate()
}

// headWidth is the width of an attention head in every released GPT-2.
const headWidth = 64

// Infer finds the sizes of a GPT-2 from the shapes of its tensors below prefix. The
// number of heads is in no tensor: heads 0 stands for D/64, as in every released
// size.
func Infer(shapes map[string][]int, prefix string, heads int) (Config, error) {
	c := Small()
	wte, wpe := shapes[prefix+"wte.weight"], shapes[prefix+"wpe.weight"]
	if len(wte) != 2 || len(wpe) != 2 {
		return c, fmt.Errorf("gpt2: no matrices %[1]swte.weight and %[1]swpe.weight: not a GPT-2", prefix)
	}
	c.VocabSize, c.Width, c.Positions = wte[0], wte[1], wpe[0]
	c.Layers = nn.Blocks(shapes, prefix+"h.")
	if c.Heads = heads; heads == 0 {
		c.Heads = max(1, c.Width/headWidth)
	}
	return c, c.Validate()
}
