package clip

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// ParseOpenCLIP reads a configuration of open_clip's, or what its
// open_clip_config.json holds under model_cfg. Unlike OpenAI's models these have the
// exact GELU unless quick_gelu is set.
// Source: open_clip, model.py, CLIPVisionCfg and CLIPTextCfg.
func ParseOpenCLIP(data []byte) (Config, error) {
	var o struct {
		EmbedDim  int            `json:"embed_dim"`
		QuickGELU bool           `json:"quick_gelu"`
		Vision    openCLIPVision `json:"vision_cfg"`
		Text      openCLIPText   `json:"text_cfg"`
	}
	if err := json.Unmarshal(data, &o); err != nil {
		return Config{}, fmt.Errorf("clip: config: %w", err)
	}
	if err := refuseOthers(data); err != nil {
		return Config{}, err
	}
	c := Config{EmbedDim: o.EmbedDim, Activation: GELU}
	if o.QuickGELU {
		c.Activation = QuickGELU
	}
	var err error
	if c.Vision, err = o.Vision.vision(); err != nil {
		return Config{}, err
	}
	t := o.Text
	c.Text = Text{ContextLength: t.ContextLength, VocabSize: t.VocabSize, Width: t.Width, Layers: t.Layers, Heads: t.Heads}
	return c, c.Validate()
}

type openCLIPVision struct {
	ImageSize int             `json:"image_size"`
	PatchSize int             `json:"patch_size"`
	Width     int             `json:"width"`
	HeadWidth int             `json:"head_width"`
	Layers    json.RawMessage `json:"layers"` // blocks of a ViT, or of each stage of a ResNet
}

type openCLIPText struct {
	ContextLength int `json:"context_length"`
	VocabSize     int `json:"vocab_size"`
	Width         int `json:"width"`
	Heads         int `json:"heads"`
	Layers        int `json:"layers"`
}

func (o openCLIPVision) vision() (Vision, error) {
	v := Vision{ImageSize: o.ImageSize, PatchSize: o.PatchSize, Width: o.Width}
	head := openAIHead
	if o.HeadWidth != 0 {
		head = o.HeadWidth
	}
	if json.Unmarshal(o.Layers, &v.Layers) == nil {
		v.Heads = o.Width / head
		return v, nil
	}
	if err := json.Unmarshal(o.Layers, &v.ResNet); err != nil {
		return v, fmt.Errorf("clip: config: vision_cfg.layers is %.40s, want a number or four", o.Layers)
	}
	v.Layers, v.PatchSize, v.Heads = 0, 0, reduction*o.Width/head
	return v, nil
}

// openCLIPNeutral is what a configuration may say besides the sizes: the values that
// change nothing, "" where none does.
func openCLIPNeutral() map[string]map[string]string {
	return map[string]map[string]string{
		"": {
			"embed_dim": "", "quick_gelu": "", "vision_cfg": "", "text_cfg": "", "custom_text": "", "cast_dtype": "",
			"init_logit_scale": "",
		},
		"vision_cfg": {
			"image_size": "", "patch_size": "", "width": "", "head_width": "", "layers": "", "mlp_ratio": "4",
			"patch_dropout": "", "pos_embed_type": `"learnable"`, "pool_type": `"tok"`, "attn_pooler_queries": "", "attn_pooler_heads": "",
			"output_tokens": "",
		},
		"text_cfg": {
			"context_length": "", "vocab_size": "", "width": "", "heads": "", "layers": "", "mlp_ratio": "4",
			"pool_type": `"argmax"`, "proj_type": `"linear"`, "eos_id": "", "output_tokens": "",
		},
	}
}

// refuseOthers refuses what the configuration can say and the network does not do.
func refuseOthers(data []byte) error {
	parts := openCLIPNeutral()
	for _, part := range slices.Backward(slices.Sorted(maps.Keys(parts))) {
		neutral := parts[part]
		fields := map[string]json.RawMessage{}
		err := json.Unmarshal(data, &fields)
		if part != "" && err == nil {
			inner, ok := fields[part]
			if !ok {
				return fmt.Errorf("clip: config: no %s", part)
			}
			fields = map[string]json.RawMessage{}
			err = json.Unmarshal(inner, &fields)
		}
		if err != nil {
			return fmt.Errorf("clip: config: %s: %w", part, err)
		}
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			value := string(bytes.TrimSpace(fields[key]))
			want, known := neutral[key]
			nothing := slices.Contains([]string{"null", "false", "0", "0.0", `""`, "{}"}, value)
			if nothing || known && (want == "" || value == want || value == want+".0") {
				continue
			}
			return fmt.Errorf("clip: config: %s%s is %.40s, which this CLIP cannot be", dotted(part), key, value)
		}
	}
	return nil
}

func dotted(part string) string {
	if part == "" {
		return ""
	}
	return part + "."
}
