package convert

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// addCLIP reads the CLIP, where one is named.
func (c *conversion) addCLIP(s Sources) error {
	if s.CLIP == "" {
		return nil
	}
	info, err := os.Stat(s.CLIP)
	if err != nil {
		return err
	}
	var config clip.Config
	var image imageproc.Config
	var tensors []weights.Tensor
	switch path := openCLIPTensors(s.CLIP); {
	case path != "":
		config, image, tensors, err = c.openCLIP(path)
	case info.IsDir():
		config, image, tensors, err = c.huggingFaceCLIP(s.CLIP)
	default:
		config, image, tensors, err = c.openAICLIP(s)
	}
	if err != nil {
		return err
	}
	if c.model.CLIPTokenizer, err = clipTokenizer(s, info.IsDir()); err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(s.CLIP), filepath.Ext(s.CLIP))
	if info.IsDir() {
		name = filepath.Base(s.CLIP)
	}
	c.model.Config.CLIPName = cmp.Or(s.CLIPName, name)
	c.model.Config.CLIP, c.model.Config.Image = &config, &image
	c.add(clip.Scope+".", tensors)
	return nil
}

// huggingFaceCLIP reads a folder.
func (c *conversion) huggingFaceCLIP(dir string) (config clip.Config, image imageproc.Config, tensors []weights.Tensor, err error) {
	if err = parseFile(filepath.Join(dir, "config.json"), clip.ParseHuggingFace, &config); err != nil {
		return config, image, nil, err
	}
	image = imageproc.CLIP(config.Vision.ImageSize)
	preprocessor := filepath.Join(dir, "preprocessor_config.json")
	if err = parseFile(preprocessor, parsePreprocessor, &image); err != nil && !os.IsNotExist(err) {
		return config, image, nil, err
	}
	path, err := tensorsIn(dir)
	if err != nil {
		return config, image, nil, err
	}
	tensors, err = c.open(path, weights.OpenAICLIP)
	return config, image, tensors, err
}

// openAICLIP reads a file of tensors, whose shapes tell the configuration.
func (c *conversion) openAICLIP(s Sources) (config clip.Config, image imageproc.Config, tensors []weights.Tensor, err error) {
	if tensors, err = c.open(s.CLIP, weights.OpenAICLIP); err != nil {
		return config, image, nil, err
	}
	if config, err = clip.Infer(weights.Shapes(tensors)); err != nil {
		return config, image, nil, fmt.Errorf("%s: %w", s.CLIP, err)
	}
	config.Activation = cmp.Or(s.Activation, config.Activation)
	return config, imageproc.CLIP(config.Vision.ImageSize), tensors, nil
}

func clipTokenizer(s Sources, clipIsDir bool) (*tokenizer.BPE, error) {
	path := s.CLIPTokenizer
	if path == "" {
		if !clipIsDir {
			return nil, fmt.Errorf("%s: holds no tokenizer; name OpenAI's bpe_simple_vocab_16e6.txt.gz as well", s.CLIP)
		}
		path = s.CLIP
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return tokenizer.Open(path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	t, err := tokenizer.ReadCLIP(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// tensorsIn finds the file of tensors of a folder in Hugging Face's layout.
func tensorsIn(dir string) (string, error) {
	for _, name := range []string{"model.safetensors", "pytorch_model.bin"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: neither model.safetensors nor pytorch_model.bin", dir)
}

// maxJSON bounds the configuration files, in bytes.
const maxJSON = 1 << 20

// parseFile reads a small file and parses it into value, which keeps what it was
// where there is an error.
func parseFile[T any](path string, parse func([]byte) (T, error), value *T) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() > maxJSON || !info.Mode().IsRegular() {
		return fmt.Errorf("%s: not a file of at most %d MiB", path, maxJSON>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	parsed, err := parse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	*value = parsed
	return nil
}
