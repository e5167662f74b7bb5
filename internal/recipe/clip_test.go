package recipe_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/recipe"
)

// TestCLIPGrows trains a ResNet CLIP with a captioner, goes on with larger photos, and
// then trains the captioner alone on: each folder begins the next.
func TestCLIPGrows(t *testing.T) {
	dir := t.TempDir()
	captioner := smallCaptioner(t, dir)
	small := smallCLIP(captioner.Data)
	small.Network.Vision = clip.Vision{ImageSize: 32, Width: 4, Heads: 4, ResNet: [4]int{1, 1, 1, 1}}
	small.Captioning = &recipe.Captioning{
		Weight: 1, LanguageModel: captioner.LanguageModel, MaxTokens: 16,
		Mapper: mapper.Config{Kind: mapper.KindMLP, PrefixLength: 2},
	}
	first := filepath.Join(dir, "first")
	if err := small.Train(t.Context(), testRun(t, first, dir)); err != nil {
		t.Fatal(err)
	}
	large := small
	large.Start, large.Network.Vision.ImageSize = first, 64
	large.Captioning = &recipe.Captioning{Weight: 1, LanguageModel: first, MaxTokens: 16}
	second := filepath.Join(dir, "second")
	if err := large.Train(t.Context(), testRun(t, second, dir)); err != nil {
		t.Fatal(err)
	}
	captioner.CLIP, captioner.LanguageModel, captioner.Mapper = second, second, mapper.Config{}
	third := filepath.Join(dir, "third")
	if err := captioner.Train(t.Context(), testRun(t, third, dir)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		folder string
		size   int
	}{{first, 32}, {second, 64}, {third, 64}} {
		folder, err := modelfolder.Open(test.folder)
		if err != nil {
			t.Fatal(err)
		}
		defer folder.Close()
		if c := folder.Config; c.CLIP.Vision.ImageSize != test.size || c.Image.Size != test.size || c.Captioner == nil || c.Captioner.Mapper.PrefixLength != 2 {
			t.Errorf("%s has photos of %d and %d pixels, want %d, and captioner %+v", test.folder, c.CLIP.Vision.ImageSize, c.Image.Size, test.size, c.Captioner)
		}
	}
	wide := smallCLIP(captioner.Data)
	wide.Network.EmbedDim = 12
	captioner.CLIP = filepath.Join(dir, "wide")
	if err := wide.Train(t.Context(), testRun(t, captioner.CLIP, dir)); err != nil {
		t.Fatal(err)
	}
	if err := captioner.Train(t.Context(), testRun(t, filepath.Join(dir, "unfit"), dir)); err == nil || !strings.Contains(err.Error(), "reads embeddings of width 8, the CLIP makes 12") {
		t.Errorf("a captioner of another CLIP: %v", err)
	}
	large.Network.EmbedDim++
	if err := large.Train(t.Context(), testRun(t, filepath.Join(dir, "other"), dir)); err == nil || !strings.Contains(err.Error(), "its network is") {
		t.Errorf("a start of another network: %v", err)
	}
}

// TestCLIPTellsWords trains a CLIP that tells words from mixed photos: the folder holds its
// towers alone, and what cannot be is refused before anything is written.
func TestCLIPTellsWords(t *testing.T) {
	dir := t.TempDir()
	c := smallCLIP(writeWorld(t, dir))
	c.Words, c.Mix = 1, 0.4
	out := filepath.Join(dir, "words")
	if err := c.Train(t.Context(), testRun(t, out, dir)); err != nil {
		t.Fatal(err)
	}
	folder, err := modelfolder.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	for _, tensor := range folder.Tensors {
		if name := tensor.Name; !strings.HasPrefix(name, clip.Scope+".") {
			t.Errorf("the folder holds %s", name)
		}
	}
	for _, test := range []struct {
		words, mix float64
		captioning *recipe.Captioning
		want       string
	}{
		{-1, 0, nil, "words is -1"},
		{0, 0.6, nil, "mix is 0.6"},
		{0, 0.1, &recipe.Captioning{}, "nobody captions two photos at once"},
	} {
		bad := c
		bad.Words, bad.Mix, bad.Captioning = test.words, test.mix, test.captioning
		if err := bad.Train(t.Context(), testRun(t, filepath.Join(dir, "bad"), dir)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}
