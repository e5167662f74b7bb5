package convert

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/weights"
)

// openCLIPTensors finds the file of tensors of an open_clip folder, "" where dir is
// none. Some folders hold the same model in Hugging Face's layout as well.
func openCLIPTensors(dir string) string {
	if _, err := os.Stat(filepath.Join(dir, openCLIPConfig)); err != nil {
		return ""
	}
	for _, name := range []string{"open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

const openCLIPConfig = "open_clip_config.json"

// openCLIP reads a folder in open_clip's layout, whose file of tensors is at path.
func (c *conversion) openCLIP(path string) (config clip.Config, image imageproc.Config, tensors []weights.Tensor, err error) {
	var both struct{ model, preprocess json.RawMessage }
	file := filepath.Join(filepath.Dir(path), openCLIPConfig)
	if err = parseFile(file, splitOpenCLIP, &both); err != nil {
		return config, image, nil, err
	}
	if config, err = clip.ParseOpenCLIP(both.model); err == nil {
		image, err = openCLIPImage(both.preprocess, config.Vision.ImageSize)
	}
	if err != nil {
		return config, image, nil, fmt.Errorf("%s: %w", file, err)
	}
	tensors, err = c.open(path, weights.OpenAICLIP)
	return config, image, tensors, err
}

// splitOpenCLIP takes the file of the hub, which has two parts, or the model's alone.
func splitOpenCLIP(data []byte) (both struct{ model, preprocess json.RawMessage }, err error) {
	var parts struct {
		Model      json.RawMessage `json:"model_cfg"`
		Preprocess json.RawMessage `json:"preprocess_cfg"`
	}
	err = json.Unmarshal(data, &parts)
	if both.model, both.preprocess = parts.Model, parts.Preprocess; both.model == nil {
		both.model = data
	}
	return both, err
}

// openCLIPImage reads preprocess_cfg, which may be missing. It refuses what imageproc
// does not do.
func openCLIPImage(data []byte, size int) (imageproc.Config, error) {
	c := imageproc.CLIP(size)
	p := struct {
		Mean          *[3]float32 `json:"mean"`
		Std           *[3]float32 `json:"std"`
		Interpolation string      `json:"interpolation"`
		Resize        string      `json:"resize_mode"`
	}{Interpolation: "bicubic", Resize: "shortest"}
	if data != nil {
		if err := json.Unmarshal(data, &p); err != nil {
			return c, fmt.Errorf("preprocess_cfg: %w", err)
		}
	}
	switch {
	case p.Interpolation != "bicubic":
		return c, fmt.Errorf("preprocess_cfg: interpolation is %q, want \"bicubic\"", p.Interpolation)
	case p.Resize != "shortest":
		return c, fmt.Errorf("preprocess_cfg: resize_mode is %q, want \"shortest\"", p.Resize)
	}
	if p.Mean != nil {
		c.Mean = *p.Mean
	}
	if p.Std != nil {
		c.Std = *p.Std
	}
	return c, c.Validate()
}
