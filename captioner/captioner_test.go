package captioner_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cutline-go/cutline/captioner"
)

// decodings is one of each way to search.
func decodings() map[string]captioner.Decoding {
	return map[string]captioner.Decoding{
		"greedy":   {},
		"beam":     {Beams: 3},
		"n-best":   {NBest: 3, Similarity: true},
		"reranked": {Beams: 4, NBest: 4, Rerank: true},
		"sampled":  {Temperature: 0.9, TopK: 20, TopP: 0.95, Seed: 7, NBest: 3, Similarity: true},
		"nucleus":  {TopP: 0.5, Seed: 1},
		"long":     {MinLength: 5, MaxLength: 20, NoRepeatNgram: 2},
	}
}

// same compares captions whose numbers may differ in the last bits, because a
// matrix product depends on the number of its rows.
func same(a, b captioner.Caption) bool {
	near := func(x, y float64) bool { return math.Abs(x-y) < 1e-4*(1+math.Abs(y)) }
	if a.Text != b.Text || !near(a.LogProb, b.LogProb) || !near(a.Similarity, b.Similarity) {
		return false
	}
	return slices.EqualFunc(a.Alternatives, b.Alternatives, func(a, b captioner.Alternative) bool {
		return a.Text == b.Text && near(a.LogProb, b.LogProb) && near(a.Similarity, b.Similarity)
	})
}

// TestBatchEqualsSingles captions photos alone, in batches of several sizes, and in
// another order.
func TestBatchEqualsSingles(t *testing.T) {
	dir, all := folder(t, kind{}), photos(7)
	for _, batch := range []int{0, 3} {
		opened, err := captioner.Open(dir, captioner.Options{Batch: batch})
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		for name, decoding := range decodings() {
			c, err := opened.With(decoding)
			if err != nil {
				t.Fatal(err)
			}
			var want []captioner.Caption
			for _, photo := range all {
				caption, err := c.Caption(t.Context(), photo)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, caption)
			}
			check := func(photos []image.Image, want []captioner.Caption) {
				t.Helper()
				var got []captioner.Caption
				for caption, err := range c.Captions(t.Context(), slices.Values(photos)) {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, caption)
				}
				if !slices.EqualFunc(got, want, same) {
					t.Errorf("%s, batch %d: %+v, alone %+v", name, batch, got, want)
				}
			}
			check(all, want)
			slices.Reverse(want)
			backwards := slices.Clone(all)
			slices.Reverse(backwards)
			check(backwards, want)
		}
	}
}

// TestPhotosDiffer holds that the photo has a say at all.
func TestPhotosDiffer(t *testing.T) {
	c := open(t, kind{}, captioner.Options{})
	texts := make(map[string]bool)
	for caption, err := range c.Captions(t.Context(), slices.Values(photos(8))) {
		if err != nil {
			t.Fatal(err)
		}
		texts[caption.Text] = true
	}
	if len(texts) < 2 {
		t.Errorf("eight photos, one caption: %v", texts)
	}
}

// TestConcurrently captions from many goroutines with different decodings; its
// point is the race detector.
func TestConcurrently(t *testing.T) {
	opened := open(t, kind{}, captioner.Options{})
	all := photos(4)
	var group sync.WaitGroup
	for name, decoding := range decodings() {
		c, err := opened.With(decoding)
		if err != nil {
			t.Fatal(err)
		}
		want, err := c.Caption(t.Context(), all[2])
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			group.Go(func() {
				got, err := c.Caption(t.Context(), all[2])
				if err != nil || !same(got, want) {
					t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
				}
				if _, err := c.EmbedText(t.Context(), "a dog"); err != nil {
					t.Error(err)
				}
				for _, err := range c.Captions(t.Context(), slices.Values(all)) {
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	group.Wait()
}

func TestNBest(t *testing.T) {
	opened := open(t, kind{}, captioner.Options{})
	for _, rerank := range []bool{false, true} {
		c, err := opened.With(captioner.Decoding{Beams: 5, NBest: 5, Rerank: rerank, Similarity: true})
		if err != nil {
			t.Fatal(err)
		}
		caption, err := c.Caption(t.Context(), photos(1)[0])
		if err != nil {
			t.Fatal(err)
		}
		all := append([]captioner.Alternative{{Text: caption.Text, LogProb: caption.LogProb, Similarity: caption.Similarity}}, caption.Alternatives...)
		if len(all) < 3 {
			t.Fatalf("%d captions of 5 beams", len(all))
		}
		if sorted := slices.IsSortedFunc(all, func(a, b captioner.Alternative) int { return -cmpFloat(a.Similarity, b.Similarity) }); sorted != rerank {
			t.Errorf("rerank %v: sorted by similarity is %v: %+v", rerank, sorted, all)
		}
		for _, a := range all {
			if a.LogProb >= 0 || math.Abs(a.Similarity) > 1 || a.Text == "" {
				t.Errorf("%+v", a)
			}
		}
	}
}

// TestModelSearches holds that a model's own search is what the zero Decoding means,
// whatever lengths are asked for, and that any search that is asked for replaces it.
func TestModelSearches(t *testing.T) {
	plain, own := open(t, kind{}, captioner.Options{}), open(t, kind{reranked: true}, captioner.Options{})
	say := func(c *captioner.Captioner, d captioner.Decoding) captioner.Caption {
		t.Helper()
		c, err := c.With(d)
		if err != nil {
			t.Fatal(err)
		}
		caption, err := c.Caption(t.Context(), photos(1)[0])
		if err != nil {
			t.Fatal(err)
		}
		return caption
	}
	for _, length := range []int{0, 6} {
		got := say(own, captioner.Decoding{MaxLength: length})
		want := say(plain, captioner.Decoding{MaxLength: length, Beams: 3, NBest: 3, Rerank: true})
		if len(got.Alternatives) > 0 {
			t.Errorf("%d alternatives unasked", len(got.Alternatives))
		}
		if want.Alternatives = nil; !same(got, want) {
			t.Errorf("unasked: %+v, want %+v", got, want)
		}
	}
	if got, want := say(own, captioner.Decoding{Beams: 1}), say(plain, captioner.Decoding{}); !same(got, want) {
		t.Errorf("greedy: %+v, want %+v", got, want)
	}
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// TestSimilarity holds the number against the embeddings that callers see.
func TestSimilarity(t *testing.T) {
	c := open(t, kind{}, captioner.Options{})
	photo := photos(3)[2]
	if caption, err := c.Caption(t.Context(), photo); err != nil || caption.Similarity != 0 {
		t.Errorf("similarity %g that nobody asked for, %v", caption.Similarity, err)
	}
	comparing, err := c.With(captioner.Decoding{Similarity: true})
	if err != nil {
		t.Fatal(err)
	}
	caption, err := comparing.Caption(t.Context(), photo)
	if err != nil {
		t.Fatal(err)
	}
	image, err := c.EmbedImage(t.Context(), photo)
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.EmbedText(t.Context(), caption.Text)
	if err != nil {
		t.Fatal(err)
	}
	var dot, ii, tt float64
	for i := range image {
		x, y := float64(image[i]), float64(text[i])
		dot, ii, tt = dot+x*y, ii+x*x, tt+y*y
	}
	if want := dot / math.Sqrt(ii*tt); math.Abs(caption.Similarity-want) > 1e-5 || want == 0 {
		t.Errorf("similarity %g, want %g", caption.Similarity, want)
	}
	if len(image) != c.Info().EmbeddingWidth {
		t.Errorf("an embedding of %d, want %d", len(image), c.Info().EmbeddingWidth)
	}
}

func TestEmptyCaption(t *testing.T) {
	c := open(t, kind{mute: true}, captioner.Options{})
	caption, err := c.Caption(t.Context(), photos(1)[0])
	if !errors.Is(err, captioner.ErrEmpty) || !reflect.DeepEqual(caption, captioner.Caption{}) {
		t.Errorf("%+v, %v, want ErrEmpty", caption, err)
	}
	count := 0
	for _, err := range c.Captions(t.Context(), slices.Values(photos(3))) {
		if !errors.Is(err, captioner.ErrEmpty) {
			t.Error(err)
		}
		count++
	}
	if count != 3 {
		t.Errorf("%d results for 3 photos", count)
	}
}

// TestBrokenWeights holds that NaN is named where it arises.
func TestBrokenWeights(t *testing.T) {
	c := open(t, kind{broken: true}, captioner.Options{})
	_, captionErr := c.Caption(t.Context(), photos(1)[0])
	_, imageErr := c.EmbedImage(t.Context(), photos(1)[0])
	_, textErr := c.EmbedText(t.Context(), "a dog")
	for what, err := range map[string]error{"caption": captionErr, "photo": imageErr, "text": textErr} {
		if want := `model "random": its CLIP makes an embedding with NaN or infinity`; err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", what, err, want)
		}
	}
}

// TestBadPhotoAmongGood holds that one bad photo costs only itself.
func TestBadPhotoAmongGood(t *testing.T) {
	c := open(t, kind{}, captioner.Options{Batch: 2})
	all := photos(5)
	all[0], all[3] = nil, image.NewRGBA(image.Rectangle{})
	all = append(all, image.NewUniform(image.White.C))
	var failed []int
	i := 0
	for caption, err := range c.Captions(t.Context(), slices.Values(all)) {
		if (err == nil) == (caption.Text == "") {
			t.Errorf("photo %d: %+v, %v", i, caption, err)
		}
		if err != nil {
			failed = append(failed, i)
		}
		i++
	}
	if !slices.Equal(failed, []int{0, 3, 5}) || i != len(all) {
		t.Errorf("photos %v of %d failed, want 0, 3 and 5", failed, i)
	}
}

// asked is a context that ends when it has been asked so many times.
type asked struct {
	context.Context
	left int
}

func (a *asked) Err() error {
	if a.left--; a.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestCancel ends the context at each of the places where it is asked for: the
// caption of at most 12 tokens must pass several.
func TestCancel(t *testing.T) {
	c := open(t, kind{}, captioner.Options{Decoding: captioner.Decoding{MinLength: 8}})
	places := 0
	for ; ; places++ {
		caption, err := c.Caption(&asked{t.Context(), places}, photos(1)[0])
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) || caption.Text != "" {
			t.Fatalf("place %d: %+v, %v", places, caption, err)
		}
	}
	if places < 8 {
		t.Errorf("the context was asked %d times, want once a token", places)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	count := 0
	for _, err := range c.Captions(ctx, slices.Values(photos(20))) {
		if count++; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if count != 1 {
		t.Errorf("%d results after the context ended, want one error", count)
	}
}

// TestRead holds the way through a file against the way through an image.
func TestRead(t *testing.T) {
	c := open(t, kind{}, captioner.Options{Limits: captioner.Limits{MaxSide: 64}})
	for i, photo := range photos(3) {
		var file bytes.Buffer
		if err := png.Encode(&file, photo); err != nil {
			t.Fatal(err)
		}
		read, err := c.Read(&file)
		if err != nil {
			t.Fatal(err)
		}
		if size := c.Info().ImageSize; read.Bounds() != image.Rect(0, 0, size, size) {
			t.Errorf("photo %d has bounds %v", i, read.Bounds())
		}
		got, err := c.EmbedImage(t.Context(), read)
		if err != nil {
			t.Fatal(err)
		}
		want, err := c.EmbedImage(t.Context(), photo)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("photo %d: the embedding of the file differs from that of the image", i)
		}
	}
	var wide bytes.Buffer
	if err := png.Encode(&wide, image.NewGray(image.Rect(0, 0, 65, 2))); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(&wide); !errors.Is(err, captioner.ErrTooLarge) {
		t.Errorf("65 pixels: %v, want ErrTooLarge", err)
	}
	if _, err := c.Read(strings.NewReader("no photo")); !errors.Is(err, captioner.ErrFormat) {
		t.Errorf("text: %v, want ErrFormat", err)
	}
}

func TestCLIPAlone(t *testing.T) {
	c := open(t, kind{clipOnly: true}, captioner.Options{})
	if _, err := c.EmbedImage(t.Context(), photos(1)[0]); err != nil {
		t.Error(err)
	}
	if _, err := c.Caption(t.Context(), photos(1)[0]); err == nil || !strings.Contains(err.Error(), "CLIP alone") {
		t.Errorf("caption: %v", err)
	}
	if c.Info().Captions {
		t.Error("Info says that a CLIP alone captions")
	}
}

// TestForgot: a model that is to project photos onto a memory that it lacks embeds, and
// says what it lacks where captions are asked for.
func TestForgot(t *testing.T) {
	c := open(t, kind{forgot: true}, captioner.Options{})
	if _, err := c.EmbedImage(t.Context(), photos(1)[0]); err != nil {
		t.Error(err)
	}
	_, err := c.Caption(t.Context(), photos(1)[0])
	_, err2 := c.With(captioner.Decoding{Beams: 2})
	for _, err := range []error{err, err2} {
		if err == nil || !strings.Contains(err.Error(), "the model has no memory of texts: train decap keeps one, convert --decap takes --memory") {
			t.Errorf("error is %v", err)
		}
	}
	direct, err := c.With(captioner.Decoding{Align: "none"})
	if err != nil {
		t.Fatal(err)
	}
	if caption, err := direct.Caption(t.Context(), photos(1)[0]); err != nil || caption.Text == "" {
		t.Errorf("as they are: %+v, %v", caption, err)
	}
}

func TestLowercase(t *testing.T) {
	c := open(t, kind{shouting: true}, captioner.Options{})
	caption, err := c.Caption(t.Context(), photos(1)[0])
	if err != nil || caption.Text != strings.Repeat("a", 12) {
		t.Errorf("%+v, %v", caption, err)
	}
}

func TestClose(t *testing.T) {
	c := open(t, kind{}, captioner.Options{})
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Caption(t.Context(), photos(1)[0]); err == nil {
		t.Error("caption after Close: no error")
	}
	if _, err := c.EmbedText(t.Context(), "a dog"); err == nil {
		t.Error("embedding after Close: no error")
	}
	if c.Info().Name != "random" {
		t.Errorf("Info after Close is %+v", c.Info())
	}
}

func TestOptionsRefused(t *testing.T) {
	dir := folder(t, kind{})
	for want, o := range map[string]captioner.Options{
		"batch":       {Batch: -1},
		"negative":    {Limits: captioner.Limits{MaxSide: -1}},
		"engine":      {Engine: "abacus"},
		"max_length":  {Decoding: captioner.Decoding{MaxLength: 62}},
		"min_length":  {Decoding: captioner.Decoding{MinLength: 13}},
		"beams":       {Decoding: captioner.Decoding{Beams: -1}},
		"top_p":       {Decoding: captioner.Decoding{TopP: 1.5}},
		"temperature": {Decoding: captioner.Decoding{Temperature: -1}},
		"n_best":      {Decoding: captioner.Decoding{Beams: 2, NBest: 3}},
		"not sampled": {Decoding: captioner.Decoding{Beams: 2, TopK: 5}},
		"no centres":  {Decoding: captioner.Decoding{Align: "mean"}},
		"no memory":   {Decoding: captioner.Decoding{Align: "memory"}},
		"align is":    {Decoding: captioner.Decoding{Align: "rotation"}},
	} {
		c, err := captioner.Open(dir, o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v, want one line with %q", o, err, want)
		}
		if err == nil {
			c.Close()
		}
	}
	if _, err := captioner.OpenFS(os.DirFS(t.TempDir()), captioner.Options{}); err == nil || !strings.Contains(err.Error(), "not a model folder") {
		t.Errorf("an empty folder: %v", err)
	}
}
