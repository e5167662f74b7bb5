package cyclegan_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/cyclegan"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/nn"
	"github.com/cutline-go/cutline/internal/weights"
)

// TestParameters counts what the paper's generator learns: four layers of 512 × 512.
func TestParameters(t *testing.T) {
	store := model.NewStore()
	paper := cyclegan.Config{Width: 512, Layers: 4, FinalActivation: true, Normalize: true}
	if err := weights.Declare(golden.Engine(t), store, paper.Declare); err != nil {
		t.Fatal(err)
	}
	if got, want := store.NumParameters(), 4*(512*512+512); got != want {
		t.Errorf("%d parameters, want %d", got, want)
	}
}

func TestValidate(t *testing.T) {
	for field, c := range map[string]cyclegan.Config{
		"width":            {Layers: 4},
		"layers":           {Width: 8},
		"final_activation": {Width: 8, Layers: 4, FinalActivation: true},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("a bad %s gives %v", field, err)
		}
	}
}

// TestTranslator: a photo is translated alike alone and among others, whatever its
// length, and what cannot be translated is refused.
func TestTranslator(t *testing.T) {
	store := model.NewStore()
	store.SetParam("/"+nn.SeedParam, int64(5))
	c := cyclegan.Config{Width: 3, Layers: 2, Normalize: true}
	translator, err := cyclegan.NewTranslator(golden.Engine(t), store, c)
	if err != nil {
		t.Fatal(err)
	}
	var photos [][]float32
	for i := range 19 {
		photos = append(photos, []float32{float32(i) - 9, 1, 2})
	}
	together, err := translator.Textualize(context.Background(), photos)
	if err != nil || len(together) != len(photos) {
		t.Fatalf("%d translations, %v", len(together), err)
	}
	for i, photo := range photos {
		longer := []float32{2 * photo[0], 2 * photo[1], 2 * photo[2]}
		alone, err := translator.Textualize(context.Background(), [][]float32{longer})
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, "alone", alone[0], together[i], 1e-6)
		if math.IsNaN(float64(alone[0][0])) {
			t.Error("a translation is NaN")
		}
	}
	if _, err := translator.Textualize(context.Background(), [][]float32{{1, 2}}); err == nil || !strings.Contains(err.Error(), "width 2") {
		t.Errorf("a narrow embedding gives %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := translator.Textualize(ctx, photos); err == nil {
		t.Error("a context that is done does not end it")
	}
}
