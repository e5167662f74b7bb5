package clip_test

import (
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/weights"
)

// TestParameters counts the parameters of OpenAI's checkpoints, the temperature among
// them.
func TestParameters(t *testing.T) {
	for _, test := range []struct {
		name   string
		config clip.Config
		want   int
	}{
		{"ViTB32", clip.ViTB32(), 151_277_313},
		{"ViTL14At336", clip.ViTL14At336(), 427_944_193},
		{"RN50", rn50(), 102_007_137},
	} {
		store := model.NewStore()
		if err := weights.Declare(golden.Engine(t), store, test.config.Declare); err != nil {
			t.Fatal(err)
		}
		got := 0
		for v := range store.IterVariables() {
			if v.Trainable {
				got += v.Shape().Size()
			}
		}
		if got != test.want {
			t.Errorf("%s has %d parameters, want %d", test.name, got, test.want)
		}
	}
}

// rn50 is OpenAI's smallest ModifiedResNet.
func rn50() clip.Config {
	c := clip.ViTB32()
	c.EmbedDim = 1024
	c.Vision = clip.Vision{ImageSize: 224, Width: 64, Heads: 32, ResNet: [4]int{3, 4, 6, 3}}
	return c
}
