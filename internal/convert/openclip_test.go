package convert_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/convert"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/weights"
)

// openCLIPFolder writes the golden CLIP as open_clip's files: in is the configuration
// and the tensors' file, from is what its content is copied from.
func openCLIPFolder(t *testing.T, config, from, in string) convert.Sources {
	t.Helper()
	s := sources(t, "clipcap_mlp")
	s.GPT2, s.ClipCap = "", ""
	dir := s.CLIPTokenizer // which then is the folder's own
	copyFile(t, filepath.Join(golden.Dir(t, "clip_vit"), from), filepath.Join(dir, in))
	if err := os.WriteFile(filepath.Join(dir, "open_clip_config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.CLIP, s.CLIPTokenizer = dir, ""
	return s
}

func TestGoldenConvertedOpenCLIP(t *testing.T) {
	dir := golden.Dir(t, "clip_vit")
	data, err := os.ReadFile(filepath.Join(dir, "open_clip_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	quick := string(data)
	exact := strings.Replace(quick, `"quick_gelu": true`, `"quick_gelu": false`, 1)
	hub := `{"model_cfg": ` + quick + `, "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "interpolation": "bicubic", "resize_mode": "shortest"}}`
	for name, test := range map[string]struct{ config, from, in, io string }{
		"safetensors": {quick, "openai.safetensors", "open_clip_model.safetensors", "io.safetensors"},
		"exact GELU":  {exact, "openai.safetensors", "open_clip_model.safetensors", "io_gelu.safetensors"},
		"pickle":      {quick, "state_dict.pt", "open_clip_pytorch_model.bin", "io.safetensors"},
		"hub's":       {hub, "openai.safetensors", "open_clip_pytorch_model.safetensors", "io.safetensors"},
	} {
		t.Run(name, func(t *testing.T) {
			s := openCLIPFolder(t, test.config, test.from, test.in)
			folder, found := convertTo(t, filepath.Join(t.TempDir(), "model"), s)
			if mean := found.Config.Image.Mean[0]; (mean == 0.5) != (name == "hub's") {
				t.Errorf("the mean is %g", mean)
			}
			checkEncoder(t, folder, golden.Load(t, filepath.Join(dir, test.io)), 1e-4)
		})
	}
}

// TestGoldenOpenCLIPNames takes the prefixes of open_clip's training checkpoints and
// of its CustomTextCLIP.
func TestGoldenOpenCLIPNames(t *testing.T) {
	dir := golden.Dir(t, "clip_vit")
	tensors := golden.Load(t, filepath.Join(dir, "openai.safetensors")).Tensors()
	for i, x := range tensors {
		if !strings.HasPrefix(x.Name, "visual.") && x.Name != "logit_scale" {
			tensors[i].Name = "text." + x.Name
		}
		tensors[i].Name = "module." + tensors[i].Name
	}
	s := sources(t, "clipcap_mlp")
	s.GPT2, s.ClipCap, s.Activation = "", "", clip.GELU
	s.CLIP = filepath.Join(t.TempDir(), "epoch_1.pt")
	if err := weights.WriteSafetensors(s.CLIP, tensors, nil); err != nil {
		t.Fatal(err)
	}
	folder, _ := convertTo(t, filepath.Join(t.TempDir(), "model"), s)
	checkEncoder(t, folder, golden.Load(t, filepath.Join(dir, "io_gelu.safetensors")), 1e-4)
}

func TestGoldenOpenCLIPRefused(t *testing.T) {
	for want, config := range map[string]string{
		"open_clip_config.json: clip: config: vision_cfg.timm":          `{"embed_dim": 8, "vision_cfg": {"timm_model_name": "x"}, "text_cfg": {}}`,
		`interpolation is "bilinear"`:                                   `{"model_cfg": CONFIG, "preprocess_cfg": {"interpolation": "bilinear"}}`,
		`resize_mode is "squash"`:                                       `{"model_cfg": CONFIG, "preprocess_cfg": {"resize_mode": "squash"}}`,
		"standard deviation 0":                                          `{"model_cfg": CONFIG, "preprocess_cfg": {"std": [0, 1, 1]}}`,
		"open_clip_config.json: json: cannot unmarshal":                 `[]`,
		"open_clip_config.json: preprocess_cfg: json: cannot unmarshal": `{"model_cfg": CONFIG, "preprocess_cfg": {"mean": 1}}`,
	} {
		data, err := os.ReadFile(filepath.Join(golden.Dir(t, "clip_vit"), "open_clip_config.json"))
		if err != nil {
			t.Fatal(err)
		}
		s := openCLIPFolder(t, strings.Replace(config, "CONFIG", string(data), 1), "openai.safetensors", "open_clip_model.safetensors")
		_, err = convert.Folder(t.Context(), golden.Engine(t), filepath.Join(t.TempDir(), "model"), s)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error is %v, want one line with %q", err, want)
		}
	}
}
