package convert

import (
	"fmt"
	"path/filepath"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// maxCaption is the longest caption that ClipCap's predict.py generates, in tokens.
const maxCaption = 67

// addGPT2 reads the folder of GPT-2, where one is named, and its tensors where it
// stands alone.
func (c *conversion) addGPT2(s Sources) (err error) {
	if s.GPT2 == "" {
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

// addClipCap reads the mapper and the language model that was trained with it.
func (c *conversion) addClipCap(s Sources) error {
	if s.ClipCap == "" {
		return nil
	}
	tensors, err := c.open(s.ClipCap, weights.ClipCap)
	if err != nil {
		return err
	}
	config, said := &c.model.Config, *c.model.Config.LanguageModel
	network, err := clipcap.Infer(weights.Shapes(tensors), said.Heads)
	if err != nil {
		return fmt.Errorf("%s: %w", s.ClipCap, err)
	}
	if err := sameSizes(network.GPT, said); err != nil {
		return fmt.Errorf("%s: its language model is not that of %s: %w", s.ClipCap, s.GPT2, err)
	}
	if e := network.Mapper.ClipWidth; e != config.CLIP.EmbedDim {
		return fmt.Errorf("%s: its mapper reads embeddings of width %d, but the CLIP of %s makes them %d wide", s.ClipCap, e, s.CLIP, config.CLIP.EmbedDim)
	}
	network.GPT = said // which knows more than shapes tell
	if s.Normalize != nil {
		network.Normalize = *s.Normalize
	}
	if config.StopTokens, err = fullStops(c.model.GPTTokenizer); err != nil {
		return fmt.Errorf("%s: %w", s.GPT2, err)
	}
	config.Captioner, config.LanguageModel = &network, nil
	config.MaxTokens = min(maxCaption, said.Positions-network.Mapper.PrefixLength)
	c.add("", tensors)
	return nil
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

// fullStops returns what ends a caption: "." and " .", GPT-2's 13 and 764. ClipCap
// stops at the first; captions of the second kind come from data whose words are
// set apart.
func fullStops(t *tokenizer.BPE) ([]int, error) {
	var stops []int
	for _, token := range []string{".", "Ġ."} {
		if id, ok := t.ID(token); ok {
			stops = append(stops, id)
		}
	}
	if len(stops) == 0 {
		return nil, fmt.Errorf("the vocabulary has no full stop")
	}
	return stops, nil
}
