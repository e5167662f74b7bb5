package captioner_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/internal/golden"
)

// with returns a captioner that aligns so.
func with(t *testing.T, c *captioner.Captioner, align string) *captioner.Captioner {
	t.Helper()
	other, err := c.With(captioner.Decoding{Align: align})
	if err != nil {
		t.Fatal(err)
	}
	return other
}

func caption(t *testing.T, c *captioner.Captioner, embedding []float32) captioner.Caption {
	t.Helper()
	for got, err := range c.CaptionEmbeddings(context.Background(), slices.Values([][]float32{embedding})) {
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	t.Fatal("no caption")
	return captioner.Caption{}
}

// TestEmbeddingIsItsPhoto: a photo's embedding has the photo's caption.
func TestEmbeddingIsItsPhoto(t *testing.T) {
	c := open(t, kind{}, captioner.Options{})
	for _, photo := range photos(3) {
		embedding, err := c.EmbedImage(context.Background(), photo)
		if err != nil {
			t.Fatal(err)
		}
		want, err := c.Caption(context.Background(), photo)
		if err != nil {
			t.Fatal(err)
		}
		if got := caption(t, c, embedding); !same(got, want) {
			t.Errorf("from the embedding: %v, from the photo: %v", got, want)
		}
	}
	good := make([]float32, 12)
	good[3] = 1
	list := [][]float32{good, make([]float32, 5), append(make([]float32, 11), float32(math.NaN())), good}
	var failed []bool
	for _, err := range c.CaptionEmbeddings(context.Background(), slices.Values(list)) {
		failed = append(failed, err != nil)
	}
	if !slices.Equal(failed, []bool{false, true, true, false}) {
		t.Errorf("of a good, a narrow, a NaN and a good one, those fail: %v", failed)
	}
}

// TestMeanShifts: the photo's embedding moves by the centres' difference, which in the
// folder is 4/10 of a step down for each coordinate alike.
func TestMeanShifts(t *testing.T) {
	c := open(t, kind{centres: true}, captioner.Options{})
	embedding, err := c.EmbedImage(context.Background(), photos(1)[0])
	if err != nil {
		t.Fatal(err)
	}
	moved := make([]float32, len(embedding))
	for i, v := range embedding {
		moved[i] = v - 0.1 // "centre.text" is a letter shorter than "centre.photo"
	}
	if got, want := caption(t, with(t, c, "mean"), embedding), caption(t, c, moved); got.Text != want.Text {
		t.Errorf("shifted: %q, by hand: %q", got.Text, want.Text)
	}
	if got, want := caption(t, with(t, c, "none"), embedding), caption(t, c, embedding); !same(got, want) {
		t.Errorf("none: %v, unasked: %v", got, want)
	}
}

// TestMemory: a model with a memory projects photos unasked; the nearest text is a
// caption of its own, and its embedding is decoded as any other.
func TestMemory(t *testing.T) {
	c := open(t, kind{memory: true}, captioner.Options{})
	near := make([]float32, 12)
	for i := range near {
		near[i] = float32(math.Sin(float64(7*(12+i)))) * 3 // the second text's direction
	}
	if got := caption(t, with(t, c, "caption"), near); got.Text != "A cat sits." || got.LogProb != 0 {
		t.Errorf("the nearest text is %+v", got)
	}
	off := append([]float32(nil), near...)
	off[0] += 0.5
	plain, nearest := with(t, c, "none"), with(t, c, "nearest")
	if got, want := caption(t, nearest, off), caption(t, nearest, near); got.Text != want.Text {
		t.Errorf("two photos beside one text: %q and %q", got.Text, want.Text)
	}
	// With 100 as inverse temperature, the nearest text is all that is left of two.
	unit := make([]float32, len(near))
	norm := 0.0
	for _, v := range near {
		norm += float64(v) * float64(v)
	}
	for i, v := range near {
		unit[i] = float32(float64(v) / math.Sqrt(norm))
	}
	if got, want := caption(t, c, off), caption(t, plain, unit); got.Text != want.Text {
		t.Errorf("projected: %q, the text's embedding itself: %q", got.Text, want.Text)
	}
}

// TestTextualises: a model with a textualiser captions what that makes of a photo,
// W·x + b for one of one layer; asked for none, it captions the photo as it is.
func TestTextualises(t *testing.T) {
	dir := folder(t, kind{textual: true})
	c, err := captioner.Open(dir, captioner.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	file := golden.Load(t, filepath.Join(dir, "model.safetensors"))
	weight, bias := golden.Floats(t, file, "text_generator.layers.0.weight"), golden.Floats(t, file, "text_generator.layers.0.bias")
	differ := false
	for _, photo := range photos(6) {
		embedding, err := c.EmbedImage(context.Background(), photo)
		if err != nil {
			t.Fatal(err)
		}
		text := slices.Clone(bias)
		for i := range text {
			for j, v := range embedding {
				text[i] += weight[i*len(embedding)+j] * v
			}
		}
		got, want := caption(t, c, embedding), caption(t, with(t, c, "none"), text)
		if got.Text != want.Text {
			t.Errorf("textualised: %q, by hand: %q", got.Text, want.Text)
		}
		differ = differ || caption(t, with(t, c, "none"), embedding).Text != got.Text
	}
	if !differ {
		t.Error("no photo's caption depends on whether it is textualised")
	}
}

// TestGuided: the CLIP's opinion makes captions of photos that differ, though the
// language model never sees one.
func TestGuided(t *testing.T) {
	c := open(t, kind{guided: true}, captioner.Options{})
	if !c.Info().Captions {
		t.Error("Info does not tell that it captions")
	}
	texts := make(map[string]bool)
	for got, err := range c.Captions(context.Background(), slices.Values(photos(6))) {
		if err != nil && !errors.Is(err, captioner.ErrEmpty) { // a random model may end at once
			t.Fatal(err)
		}
		texts[got.Text] = true
	}
	if len(texts) < 2 {
		t.Errorf("six photos have the captions %v", texts)
	}
	short, err := c.With(captioner.Decoding{MaxLength: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := short.Caption(context.Background(), photos(1)[0]); err != nil && !errors.Is(err, captioner.ErrEmpty) {
		t.Fatal(err)
	}
	for want, d := range map[string]captioner.Decoding{
		"only max_length": {Beams: 3}, "room for 19": {MaxLength: 20}, "no centres": {Align: "mean"},
	} {
		if _, err := c.With(d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", d, err, want)
		}
	}
}
