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
	} {
		store := model.NewStore()
		if err := weights.Declare(golden.Engine(t), store, test.config.Declare); err != nil {
			t.Fatal(err)
		}
		got := 0
		for v := range store.IterVariables() {
			got += v.Shape().Size()
		}
		if got != test.want {
			t.Errorf("%s has %d parameters, want %d", test.name, got, test.want)
		}
	}
}
