package weights_test

import (
	"math"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/weights"
)

// TestFixtureCenters reads CapDec's file of the centres of image and text embeddings,
// whose lengths are known to three digits, give or take the last.
func TestFixtureCenters(t *testing.T) {
	f := golden.Load(t, golden.Shared(t, "fixtures", "pickle", "CLIP_embeddings_centers_info.pkl"))
	text, image := golden.Floats(t, f, "center_text"), golden.Floats(t, f, "center_image")
	training, inference := golden.Floats(t, f, "offset_to_add_in_training"), golden.Floats(t, f, "offset_to_add_in_inference")
	for what, test := range map[string]struct {
		vector []float32
		want   float64
	}{"text": {text, 0.688}, "image": {image, 0.773}, "gap": {training, 0.711}} {
		sum := 0.0
		for _, v := range test.vector {
			sum += float64(v) * float64(v)
		}
		if got := math.Sqrt(sum); math.Abs(got-test.want) > 1e-3 || len(test.vector) != 640 {
			t.Errorf("%s: %d values of length %g, want 640 of %g", what, len(test.vector), got, test.want)
		}
	}
	gap := make([]float32, len(text))
	back := make([]float32, len(text))
	for i := range text {
		gap[i], back[i] = image[i]-text[i], text[i]-image[i]
	}
	golden.Compare(t, "training", training, gap, 1e-6)
	golden.Compare(t, "inference", inference, back, 1e-6)
}

// TestFixtureConfig reads DeCap's configuration, an object of Hugging Face's.
func TestFixtureConfig(t *testing.T) {
	p, err := weights.OpenPickle(golden.Shared(t, "fixtures", "pickle", "decap_decoder_config.pkl"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.Class() != "GPT2Config" {
		t.Errorf("class is %q", p.Class())
	}
	for key, want := range map[string]any{
		"n_layer": int64(4), "n_head": int64(4), "n_embd": int64(768), "vocab_size": int64(50257),
		"layer_norm_epsilon": 1e-5, "activation_function": "gelu_new", "n_inner": nil, "model_type": "gpt2",
	} {
		value, ok := p.Get(key)
		if got, scalar := value.Scalar(); !ok || !scalar || got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
}
