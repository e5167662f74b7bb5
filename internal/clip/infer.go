package clip

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/cutline-go/cutline/internal/nn"
)

// openAIHead is the width of an attention head in every CLIP of OpenAI's.
const openAIHead = 64

// Infer finds the sizes of a CLIP from the shapes of its tensors, as OpenAI's own
// loader does: heads are 64 wide and the activation is QuickGELU, neither of which
// a file of tensors tells.
func Infer(shapes map[string][]int) (Config, error) {
	var c Config
	projection, err := shape(shapes, "text_projection", 2)
	if err != nil {
		return c, err
	}
	context, err := shape(shapes, "positional_embedding", 2)
	if err != nil {
		return c, err
	}
	vocabulary, err := shape(shapes, "token_embedding.weight", 2)
	if err != nil {
		return c, err
	}
	vision, err := inferVision(shapes)
	if err != nil {
		return c, err
	}
	c = Config{
		EmbedDim: projection[1], Activation: QuickGELU, Vision: vision,
		Text: Text{
			ContextLength: context[0], VocabSize: vocabulary[0], Width: context[1],
			Layers: nn.Blocks(shapes, "transformer.resblocks."), Heads: max(1, context[1]/openAIHead),
		},
	}
	return c, c.Validate()
}

func inferVision(shapes map[string][]int) (Vision, error) {
	conv, err := shape(shapes, "visual.conv1.weight", 4)
	if err != nil {
		return Vision{}, err
	}
	if _, ok := shapes["visual.attnpool.positional_embedding"]; ok {
		return inferResNet(shapes, conv)
	}
	position, err := shape(shapes, "visual.positional_embedding", 2)
	if err != nil {
		return Vision{}, err
	}
	return Vision{
		ImageSize: grid(position) * conv[2], PatchSize: conv[2], Width: conv[0],
		Layers: nn.Blocks(shapes, "visual.transformer.resblocks."), Heads: max(1, conv[0]/openAIHead),
	}, nil
}

func inferResNet(shapes map[string][]int, conv []int) (Vision, error) {
	position, err := shape(shapes, "visual.attnpool.positional_embedding", 2)
	if err != nil {
		return Vision{}, err
	}
	v := Vision{ImageSize: grid(position) * reduction, Width: 2 * conv[0]}
	v.Heads = max(1, v.Width*reduction/openAIHead)
	for stage := range v.ResNet {
		v.ResNet[stage] = nn.Blocks(shapes, fmt.Sprintf("visual.layer%d.", stage+1))
	}
	return v, nil
}

// grid is the side of the square of places that a position table [1+P, width] is of.
func grid(position []int) int { return int(math.Round(math.Sqrt(float64(position[0] - 1)))) }

func shape(shapes map[string][]int, name string, rank int) ([]int, error) {
	s, ok := shapes[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("clip: no tensor %s: not a CLIP", name)
	case len(s) != rank:
		return nil, fmt.Errorf("clip: tensor %s has shape %v, want %d axes", name, s, rank)
	}
	return s, nil
}

// ParseHuggingFace reads the config.json of a Hugging Face CLIP.
func ParseHuggingFace(data []byte) (Config, error) {
	var hf struct {
		ModelType     string `json:"model_type"`
		ProjectionDim int    `json:"projection_dim"`
		Text          struct {
			huggingFaceTower
			Positions int `json:"max_position_embeddings"`
			VocabSize int `json:"vocab_size"`
			EndToken  int `json:"eos_token_id"`
		} `json:"text_config"`
		Vision struct {
			huggingFaceTower
			ImageSize int `json:"image_size"`
			PatchSize int `json:"patch_size"`
		} `json:"vision_config"`
	}
	if err := json.Unmarshal(data, &hf); err != nil {
		return Config{}, fmt.Errorf("clip: config: %w", err)
	}
	if hf.ModelType != "clip" {
		return Config{}, fmt.Errorf("clip: config: model_type is %q, want \"clip\"", hf.ModelType)
	}
	// OpenAI's own configurations carry the wrong end token 2, and mean the largest id.
	const legacyEndToken = 2
	if hf.Text.EndToken == legacyEndToken {
		hf.Text.EndToken = 0
	}
	t, v := hf.Text, hf.Vision
	for _, tower := range []huggingFaceTower{t.huggingFaceTower, v.huggingFaceTower} {
		if err := tower.check(v.Activation); err != nil {
			return Config{}, err
		}
	}
	c := Config{
		EmbedDim: hf.ProjectionDim, Activation: v.Activation,
		Vision: Vision{ImageSize: v.ImageSize, PatchSize: v.PatchSize, Width: v.Width, Layers: v.Layers, Heads: v.Heads},
		Text: Text{
			ContextLength: t.Positions, VocabSize: t.VocabSize, Width: t.Width, Layers: t.Layers, Heads: t.Heads,
			EndToken: t.EndToken,
		},
	}
	return c, c.Validate()
}

type huggingFaceTower struct {
	Width        int        `json:"hidden_size"`
	Intermediate int        `json:"intermediate_size"`
	Heads        int        `json:"num_attention_heads"`
	Layers       int        `json:"num_hidden_layers"`
	Activation   Activation `json:"hidden_act"`
	Epsilon      float64    `json:"layer_norm_eps"`
}

// check refuses what the configuration can say and the network does not do.
func (t huggingFaceTower) check(activation Activation) error {
	switch {
	case t.Intermediate != 0 && t.Intermediate != 4*t.Width:
		return fmt.Errorf("clip: config: intermediate_size is %d, want 4 × %d", t.Intermediate, t.Width)
	case t.Epsilon != 0 && t.Epsilon != epsilon:
		return fmt.Errorf("clip: config: layer_norm_eps is %g, want %g", t.Epsilon, epsilon)
	case t.Activation != activation:
		return fmt.Errorf("clip: config: the towers' activations %q and %q differ", t.Activation, activation)
	}
	return nil
}
