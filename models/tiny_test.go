package models_test

import (
	"flag"
	"image"
	"math"
	"testing"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/models"
)

var photoCount = flag.Int("photos", 100, "photos of Flickr8k val to caption")

// TestTinyFollowsPhotos captions photos of Flickr8k val with the carried model. The
// captions must differ from photo to photo, and must fit their own photo better, by
// the model's own CLIP, than that of another one.
func TestTinyFollowsPhotos(t *testing.T) {
	archive, err := dataset.OpenTar(golden.Shared(t, "data", "flickr8k", "images_val.tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	fsys, err := models.Tiny()
	if err != nil {
		t.Fatal(err)
	}
	c, err := captioner.OpenFS(fsys, captioner.Options{Decoding: captioner.Decoding{Similarity: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()

	photos := readPhotos(t, c, archive)
	texts := make(map[string]bool)
	var captions []captioner.Caption
	for caption, err := range c.Captions(t.Context(), func(yield func(image.Image) bool) {
		for _, photo := range photos {
			if !yield(photo) {
				return
			}
		}
	}) {
		if err != nil {
			t.Fatal(err)
		}
		captions = append(captions, caption)
		texts[caption.Text] = true
	}
	distinct := float64(len(texts)) / float64(len(captions))
	own, other, z := follow(t, c, photos, captions)
	t.Logf("%d photos: %.1f %% distinct captions; mean clip_similarity %.3f, shuffled %.3f (difference %.1f standard errors)",
		len(photos), 100*distinct, own, other, z)
	if distinct < 0.3 {
		t.Errorf("%.1f %% of the captions are distinct, want 30 %%", 100*distinct)
	}
	if z < 5 {
		t.Errorf("with the photos shuffled, the mean clip_similarity goes from %.3f to %.3f, %.1f standard errors", own, other, z)
	}
	recall(t, c, photos, archive)
}

// readPhotos reads the first photos by name.
func readPhotos(t *testing.T, c *captioner.Captioner, archive *dataset.Tar) []image.Image {
	var photos []image.Image
	for _, name := range names(archive) {
		file, err := archive.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		photo, err := c.Read(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		photos = append(photos, photo)
	}
	return photos
}

func names(archive *dataset.Tar) []string {
	all := archive.Names()
	return all[:min(len(all), *photoCount)]
}

// follow compares each photo's embedding with its caption's and with the next
// photo's: both means, and how many standard errors their difference is from 0.
func follow(t *testing.T, c *captioner.Captioner, photos []image.Image, captions []captioner.Caption) (own, other, z float64) {
	var difference, square float64
	for i, photo := range photos {
		embedding := embed(t, func() ([]float32, error) { return c.EmbedImage(t.Context(), photo) })
		next := captions[(i+1)%len(captions)].Text
		text := embed(t, func() ([]float32, error) { return c.EmbedText(t.Context(), next) })
		a, b := captions[i].Similarity, dot(embedding, text)
		own, other = own+a, other+b
		difference, square = difference+a-b, square+(a-b)*(a-b)
	}
	n := float64(len(photos))
	mean := difference / n
	return own / n, other / n, mean / math.Sqrt((square/n-mean*mean)/n)
}

// recall logs how often a photo is among the best k for its own captions.
func recall(t *testing.T, c *captioner.Captioner, photos []image.Image, archive *dataset.Tar) {
	records, err := dataset.LoadJSONL(golden.Shared(t, "data", "flickr8k", "captions.jsonl"), "val")
	if err != nil {
		t.Fatal(err)
	}
	captions := make(map[string][]string)
	for _, r := range records {
		captions[r.Image] = r.Captions
	}
	var embeddings [][]float32
	for _, photo := range photos {
		embeddings = append(embeddings, embed(t, func() ([]float32, error) { return c.EmbedImage(t.Context(), photo) }))
	}
	texts, hits := 0, map[int]int{}
	for i, name := range names(archive) {
		for _, caption := range captions[name] {
			text := embed(t, func() ([]float32, error) { return c.EmbedText(t.Context(), caption) })
			better := 0
			for _, e := range embeddings {
				if dot(e, text) > dot(embeddings[i], text) {
					better++
				}
			}
			texts++
			for _, k := range []int{1, 5, 10} {
				if better < k {
					hits[k]++
				}
			}
		}
	}
	for _, k := range []int{1, 5, 10} {
		t.Logf("text-to-photo recall at %d among %d photos: %.1f %%", k, len(photos), 100*float64(hits[k])/float64(texts))
	}
}

// embed returns an embedding of length 1.
func embed(t *testing.T, f func() ([]float32, error)) []float32 {
	t.Helper()
	e, err := f()
	if err != nil {
		t.Fatal(err)
	}
	norm := math.Sqrt(dot(e, e))
	for i := range e {
		e[i] = float32(float64(e[i]) / norm)
	}
	return e
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
