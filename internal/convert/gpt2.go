package convert

import (
	"fmt"
	"path/filepath"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// addGPT2 reads the folder of GPT-2, where one is named, and its tensors where it
// stands alone.
func (c *conversion) addGPT2(s Sources) (err error) {
	if s.GPT2 == "" || s.Method == DeCap { // whose decoder is its own
		return nil
	}
	var config gpt2.Config
	if err := parseFile(filepath.Join(s.GPT2, "config.json"), gpt2.ParseHuggingFace, &config); err != nil {
		return err
	}
	if c.model.GPTTokenizer, err = tokenizer.Open(s.GPT2); err != nil {
		return err
	}
	c.model.Config.LanguageModel = &config
	c.model.Config.MaxTokens = min(maxCaption, config.Positions)
	if s.ClipCap != "" {
		return nil
	}
	if id, ok := c.model.GPTTokenizer.ID("<|endoftext|>"); ok {
		c.model.Config.StopTokens = []int{id}
	}
	path, err := tensorsIn(s.GPT2)
	if err != nil {
		return err
	}
	tensors, err := c.open(path, weights.GPT2)
	c.add(clipcap.GPTScope+".transformer.", tensors)
	return err
}

// sameSizes holds the sizes found in tensors against those of a configuration.
func sameSizes(found, said gpt2.Config) error {
	for _, size := range []struct {
		name        string
		found, said int
	}{
		{"vocab_size", found.VocabSize, said.VocabSize}, {"n_positions", found.Positions, said.Positions},
		{"n_embd", found.Width, said.Width}, {"n_layer", found.Layers, said.Layers},
	} {
		if size.found != size.said {
			return fmt.Errorf("%s is %d, want %d", size.name, size.found, size.said)
		}
	}
	return nil
}
