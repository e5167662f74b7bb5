package clip_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/weights"
)

// openCLIP is a configuration as open_clip has it for ViT-B-32, with more in it.
func openCLIP(more, vision, text string) []byte {
	return []byte(fmt.Sprintf(`{"embed_dim": 512%s, "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 32%s},
		"text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12%s}}`, more, vision, text))
}

func TestOpenCLIP(t *testing.T) {
	want := clip.ViTB32()
	for more, activation := range map[string]clip.Activation{
		``: clip.GELU, `, "quick_gelu": false`: clip.GELU, `, "quick_gelu": true`: clip.QuickGELU, `, "custom_text": true`: clip.GELU,
	} {
		want.Activation = activation
		got, err := clip.ParseOpenCLIP(openCLIP(more, "", ""))
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", more, got, err)
		}
	}
	got, err := clip.ParseOpenCLIP(openCLIP("", `, "head_width": 48, "mlp_ratio": 4.0, "ls_init_value": null, "no_ln_pre": false, "timm_model_name": ""`, ""))
	if err != nil || got.Vision.Heads != 16 {
		t.Errorf("head_width 48: %d heads, %v", got.Vision.Heads, err)
	}
}

func TestOpenCLIPRefuses(t *testing.T) {
	for want, data := range map[string][]byte{
		"vision_cfg.timm_model_name is":   openCLIP("", `, "timm_model_name": "vit_base"`, ""),
		"vision_cfg.mlp_ratio is 4.9":     openCLIP("", `, "mlp_ratio": 4.9231`, ""),
		"vision_cfg.attentional_pool is":  openCLIP("", `, "attentional_pool": true`, ""),
		"vision_cfg.pool_type is":         openCLIP("", `, "pool_type": "avg"`, ""),
		"text_cfg.hf_model_name is":       openCLIP("", "", `, "hf_model_name": "roberta-base"`),
		"text_cfg.embed_cls is true":      openCLIP("", "", `, "embed_cls": true`),
		"clip: config: multimodal_cfg is": openCLIP(`, "multimodal_cfg": {"width": 1}`, "", ""),
		"clip: config: init_logit_bias":   openCLIP(`, "init_logit_bias": -10`, "", ""),
		"cannot unmarshal":                []byte(`[]`),
		"layers is \"x\"":                 openCLIP("", `, "layers": "x"`, ""),
		"clip: text.heads is 0":           openCLIP("", "", `, "heads": 0`),
		"clip: config: no vision_cfg":     []byte(`{"embed_dim": 512}`),
	} {
		if _, err := clip.ParseOpenCLIP(data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
}

// TestGoldenOpenCLIPConfig holds open_clip's configuration against the shapes of the
// tensors.
func TestGoldenOpenCLIPConfig(t *testing.T) {
	for _, name := range []string{"clip_vit", "clip_rn"} {
		dir := golden.Dir(t, name)
		data, err := os.ReadFile(filepath.Join(dir, "open_clip_config.json"))
		if err != nil {
			t.Fatal(err)
		}
		said, err := clip.ParseOpenCLIP(data)
		if err != nil {
			t.Fatal(err)
		}
		tensors, err := weights.OpenAICLIP(golden.Load(t, filepath.Join(dir, "openai.safetensors")).Tensors())
		if err != nil {
			t.Fatal(err)
		}
		found, err := clip.Infer(weights.Shapes(tensors))
		if err != nil {
			t.Fatal(err)
		}
		if said != found {
			t.Errorf("%s: the configuration says %+v, the tensors say %+v", name, said, found)
		}
	}
}
