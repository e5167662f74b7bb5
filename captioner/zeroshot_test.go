package captioner_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/captioner"
)

// TestZeroCap: the language model of a captioner, or of a model that its CLIP guides,
// goes on with a prompt towards a photo; what it says depends on the prompt, begins
// behind it, and is the same for a photo alone and among others.
func TestZeroCap(t *testing.T) {
	for _, k := range []kind{{}, {guided: true}} {
		c := open(t, k, captioner.Options{})
		write := func(prompt string) *captioner.Captioner {
			other, err := c.With(captioner.Decoding{Method: "zerocap", Prompt: prompt, MaxLength: 4, Beams: 2, NBest: 2})
			if err != nil {
				t.Fatal(err)
			}
			return other
		}
		said := make(map[string]bool)
		for i, photo := range photos(2) {
			alone, err := write("a dog").Caption(context.Background(), photo)
			if err != nil && !errors.Is(err, captioner.ErrEmpty) {
				t.Fatal(err)
			}
			among := captioner.Caption{}
			for got, err := range write("a dog").Captions(context.Background(), slices.Values(photos(2))) {
				if err != nil && !errors.Is(err, captioner.ErrEmpty) {
					t.Fatal(err)
				}
				if i == 0 {
					among = got
					break
				}
				i--
			}
			if alone.Text != among.Text {
				t.Errorf("alone: %q, among others: %q", alone.Text, among.Text)
			}
			if len(alone.Alternatives) > 0 && alone.Alternatives[0].Similarity > alone.Similarity {
				t.Errorf("the first caption has the similarity %g, the second %g", alone.Similarity, alone.Alternatives[0].Similarity)
			}
			other, err := write("on the grass").Caption(context.Background(), photo)
			if err != nil && !errors.Is(err, captioner.ErrEmpty) {
				t.Fatal(err)
			}
			said[alone.Text], said[other.Text] = true, true
		}
		if len(said) < 2 {
			t.Errorf("two prompts and photos give %v", said)
		}
	}
}

// TestZeroCapRefuses what does not go together.
func TestZeroCapRefuses(t *testing.T) {
	c := open(t, kind{}, captioner.Options{})
	for want, d := range map[string]captioner.Decoding{
		`method is "oracle"`: {Method: "oracle"},
		"takes a prompt":     {Method: "zerocap", TopK: 3},
		"want at most beams": {Method: "zerocap", NBest: 6},
		"has room for":       {Method: "zerocap", MaxLength: 70},
		"and nothing else":   {Method: "zerocap-sum", Align: "mean"},
	} {
		if _, err := c.With(d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", d, err, want)
		}
	}
}
