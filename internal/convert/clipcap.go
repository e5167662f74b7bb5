package convert

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// Method is whose training script saved a captioner. The files look alike; how they are
// used is not in them.
type Method string

// The methods.
const (
	ClipCap Method = "clipcap"
	CapDec  Method = "capdec" // embeddings of length 1, beams, lower case
	CgTGAN  Method = "cgtgan" // embeddings as they are, short captions
	DeCap   Method = "decap"  // a small decoder of CLIP's own tokens
)

// The longest captions that the methods' own code generates, in tokens.
const (
	maxCaption       = 67
	maxCgTGANCaption = 20
	maxDeCapCaption  = 30
)

// capDecBeams is the search of CapDec's predictions.
const capDecBeams = 5

// decapHeads is the number of heads in DeCap's decoder, whose width of 768 tells 12.
const decapHeads = 4

// addClipCap reads the mapper and the language model that was trained with it.
func (c *conversion) addClipCap(s Sources) error {
	if s.ClipCap == "" {
		return nil
	}
	network, tensors, err := c.readClipCap(s)
	if err != nil {
		return err
	}
	config := &c.model.Config
	if e := network.Mapper.ClipWidth; e != config.CLIP.EmbedDim {
		return fmt.Errorf("%s: its mapper reads embeddings of width %d, but the CLIP of %s makes them %d wide", s.ClipCap, e, s.CLIP, config.CLIP.EmbedDim)
	}
	longest := maxCaption
	switch s.Method {
	case CapDec:
		network.Normalize, config.Beams, config.Lowercase = true, capDecBeams, true
	case CgTGAN:
		network.Normalize, longest = false, maxCgTGANCaption
	case DeCap:
		network.Normalize, longest, config.Align = true, maxDeCapCaption, modelfolder.AlignMemory
	}
	if s.Normalize != nil {
		network.Normalize = *s.Normalize
	}
	if err := c.setStops(s); err != nil {
		return err
	}
	config.Captioner, config.LanguageModel = &network, nil
	config.MaxTokens = min(longest, network.GPT.Positions-network.Mapper.PrefixLength)
	c.add("", tensors)
	return nil
}

// readClipCap reads the checkpoint and what is said of its language model.
func (c *conversion) readClipCap(s Sources) (network clipcap.Config, tensors []weights.Tensor, err error) {
	rename, heads := weights.ClipCap, 0
	if s.Method == DeCap {
		rename, heads = weights.DeCap, decapHeads
		c.model.Config.LanguageModel, err = decoderConfig(s.GPT2)
	}
	if err != nil {
		return network, nil, err
	}
	said := c.model.Config.LanguageModel
	if said != nil {
		heads = said.Heads
	}
	if tensors, err = c.open(s.ClipCap, rename); err != nil {
		return network, nil, err
	}
	if network, err = clipcap.Infer(weights.Shapes(tensors), heads); err != nil {
		return network, nil, fmt.Errorf("%s: %w", s.ClipCap, err)
	}
	if said == nil {
		return network, tensors, nil
	}
	if err := sameSizes(network.GPT, *said); err != nil {
		return network, nil, fmt.Errorf("%s: its language model is not that of %s: %w", s.ClipCap, s.GPT2, err)
	}
	network.GPT = *said // which knows more than shapes tell
	return network, tensors, nil
}

// decoderConfig reads the configuration of DeCap's decoder: its decoder_config.pkl, a
// config.json or the folder of one; nil where path is "".
func decoderConfig(path string) (*gpt2.Config, error) {
	if path == "" {
		return nil, nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "config.json")
	}
	var config gpt2.Config
	if filepath.Ext(path) == ".json" {
		return &config, parseFile(path, gpt2.ParseHuggingFace, &config)
	}
	pickle, err := weights.OpenPickle(path)
	if err != nil {
		return nil, err
	}
	defer pickle.Close()
	attributes := map[string]any{}
	for name, value := range pickle.Pairs() {
		if scalar, ok := value.Scalar(); ok {
			attributes[name] = scalar
		}
	}
	// A class attribute in transformers, which pickles need not carry.
	attributes["model_type"] = cmp.Or[any](attributes["model_type"], "gpt2")
	data, err := json.Marshal(attributes)
	if err == nil {
		config, err = gpt2.ParseHuggingFace(data)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &config, nil
}

// setStops says what ends a caption, and for DeCap which tokens it consists of.
func (c *conversion) setStops(s Sources) (err error) {
	config := &c.model.Config
	if s.Method == DeCap {
		c.model.GPTTokenizer = c.model.CLIPTokenizer
		end, _ := c.model.CLIPTokenizer.ID("<|endoftext|>") // which is what makes the style CLIP
		config.StopTokens = []int{end}
		return nil
	}
	if config.StopTokens, err = fullStops(c.model.GPTTokenizer); err != nil {
		return fmt.Errorf("%s: %w", s.GPT2, err)
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
