package bench

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"testing"
	"time"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/weights"
)

func TestMeasure(t *testing.T) {
	took := []time.Duration{9, 1, 5, 2, 8, 3}
	job := func(context.Context) (time.Duration, error) {
		next := took[0] * time.Millisecond
		took = took[1:]
		return next, nil
	}
	got, err := Repeats{WarmUp: 2, Runs: 4}.measure(t.Context(), job)
	if want := (Times{Median: 4, Fastest: 2, Slowest: 8, Measured: 4}); err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	broken := errors.New("broken")
	if _, err := (Repeats{Runs: 1}).measure(t.Context(), whole(func(context.Context) error { return broken })); !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Repeats{Runs: 1}).measure(ended, job); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

// TestClipCapSizes counts the parameters of the published checkpoints.
func TestClipCapSizes(t *testing.T) {
	store := model.NewStore()
	if err := weights.Declare(golden.Engine(t), store, clipCap().Declare); err != nil {
		t.Fatal(err)
	}
	const vit, gpt, mlp = 151_277_313, 124_439_808, 512*3840 + 3840 + 3840*7680 + 7680
	if got := store.NumParameters(); got != vit+gpt+mlp {
		t.Errorf("%d parameters, want %d", got, vit+gpt+mlp)
	}
}

// TestStages measures networks of a few neurons.
func TestStages(t *testing.T) {
	c := clipCap()
	img := imageproc.CLIP(16)
	c.Image = &img
	c.CLIP = &clip.Config{
		EmbedDim: 8, Activation: clip.QuickGELU,
		Vision: clip.Vision{ImageSize: 16, PatchSize: 8, Width: 8, Layers: 1, Heads: 2},
		Text:   clip.Text{ContextLength: 16, VocabSize: 20, Width: 8, Layers: 1, Heads: 2},
	}
	c.Captioner.GPT = gpt2.Config{VocabSize: 20, Positions: 40, Width: 8, Layers: 1, Heads: 2, Epsilon: 1e-5}
	c.Captioner.Mapper.ClipWidth, c.Captioner.Mapper.Width = 8, 8
	networks, err := random(golden.Engine(t), c)
	if err != nil {
		t.Fatal(err)
	}
	defer networks.Close()
	photo := grey(t)
	stages, err := networks.Stages(t.Context(), Repeats{Runs: 2}, photo, 1)
	if err != nil {
		t.Fatal(err)
	}
	two, err := networks.Stages(t.Context(), Repeats{Runs: 2}, photo, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(stages) != 4 || len(two) != 3 {
		t.Errorf("%d and %d stages", len(stages), len(two))
	}
	for _, s := range append(stages, two...) {
		if s.Fastest <= 0 || s.Fastest > s.Median || s.Median > s.Slowest || s.Measured != 2 || s.PerSecond <= 0 {
			t.Errorf("%+v", s)
		}
	}
	if err := networks.Caption(t.Context(), photo, 2); err != nil {
		t.Error(err)
	}
	if err := networks.Caption(t.Context(), []byte("no photo"), 1); !errors.Is(err, imageproc.ErrFormat) {
		t.Errorf("no photo: %v", err)
	}
}

func TestMachine(t *testing.T) {
	m, err := MeasureMachine(t.Context(), Repeats{Runs: 1}, golden.Engine(t), 1<<20, 64)
	if err != nil || m.Read <= 0 || m.Triad <= 0 || m.GFLOPS <= 0 || m.Product != 64 {
		t.Errorf("%+v, %v", m, err)
	}
}

func grey(t testing.TB) []byte {
	t.Helper()
	var photo bytes.Buffer
	if err := png.Encode(&photo, image.NewGray(image.Rect(0, 0, 20, 10))); err != nil {
		t.Fatal(err)
	}
	return photo.Bytes()
}
