package captioner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"slices"

	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/modelfolder"
)

// Caption is what a model says of a photo.
type Caption struct {
	Text string `json:"text"` // one line, never empty

	// LogProb is the logarithm of the probability that the language model gives the
	// caption, all tokens together, in nats; 0 for a caption that was looked up.
	LogProb float64 `json:"log_prob"`

	// Similarity is the cosine of the photo's and the caption's embeddings by the
	// model's own CLIP, 0 unless Decoding.Similarity or Rerank asks for it. It is no
	// CLIPScore, which is defined by OpenAI's ViT-B/32, and compares captions of one
	// photo, not models.
	Similarity float64 `json:"clip_similarity"`

	// Alternatives are the other captions where Decoding.NBest asks for several,
	// best first. There may be fewer: empty ones and repetitions are left out.
	Alternatives []Alternative `json:"alternatives,omitempty"`
}

// Alternative is a caption that came out less well; see [Caption] for its fields.
type Alternative struct {
	Text       string  `json:"text"`
	LogProb    float64 `json:"log_prob"`
	Similarity float64 `json:"clip_similarity"`
}

// ErrEmpty is wrapped by the error for a photo that the model has no word for.
var ErrEmpty = errors.New("the caption is empty")

// Caption captions one photo, be it upright and of any size; see Read for files.
// It returns ctx.Err() when ctx ends, which is asked for between tokens.
func (c *Captioner) Caption(ctx context.Context, img image.Image) (Caption, error) {
	pixels, err := c.pixels(img)
	if err != nil {
		return Caption{}, err
	}
	results, err := c.captionBatch(ctx, [][]float32{pixels})
	if err != nil {
		return Caption{}, err
	}
	return results[0].Caption, results[0].err
}

// Captions captions many photos, faster than one by one: Options.Batch of them run
// at once. For each photo, in their order, there is one caption, the same as
// Caption's, or one error, such as ErrEmpty. An error that is not about a photo,
// such as ctx.Err(), is the last.
func (c *Captioner) Captions(ctx context.Context, imgs iter.Seq[image.Image]) iter.Seq2[Caption, error] {
	return c.inBatches(ctx, c.captionBatch, func(yield func([]float32, error) bool) {
		for img := range imgs {
			if !yield(c.pixels(img)) {
				return
			}
		}
	})
}

// CaptionEmbeddings captions photos from their embeddings, as EmbedImage gives them,
// each of Info.EmbeddingWidth numbers; else it is Captions.
func (c *Captioner) CaptionEmbeddings(ctx context.Context, embeddings iter.Seq[[]float32]) iter.Seq2[Caption, error] {
	return c.inBatches(ctx, c.captionHeld, func(yield func([]float32, error) bool) {
		for embedding := range embeddings {
			if !yield(embedding, c.checkEmbedding(embedding)) {
				return
			}
		}
	})
}

// inBatches runs a number of rows at once, those without an error.
func (c *Captioner) inBatches(ctx context.Context, run func(context.Context, [][]float32) ([]result, error), rows iter.Seq2[[]float32, error]) iter.Seq2[Caption, error] {
	return func(yield func(Caption, error) bool) {
		batch := make([]result, 0, c.batch)
		for row, err := range rows {
			batch = append(batch, result{row: row, err: err})
			if len(batch) < c.batch {
				continue
			}
			if !yieldBatch(ctx, batch, run, yield) {
				return
			}
			batch = batch[:0]
		}
		yieldBatch(ctx, batch, run, yield)
	}
}

// result is what becomes of one photo.
type result struct {
	row []float32 // its pixels or its embedding, until it is captioned
	Caption
	err error
}

// yieldBatch captions the photos of batch without an error and yields all. It
// reports whether there may be more.
func yieldBatch(ctx context.Context, batch []result, run func(context.Context, [][]float32) ([]result, error), yield func(Caption, error) bool) bool {
	var rows [][]float32
	for _, r := range batch {
		if r.err == nil {
			rows = append(rows, r.row)
		}
	}
	captioned, err := run(ctx, rows)
	if err != nil {
		yield(Caption{}, err)
		return false
	}
	for _, r := range batch {
		if r.err == nil {
			r, captioned = captioned[0], captioned[1:]
		}
		if !yield(r.Caption, r.err) {
			return false
		}
	}
	return true
}

// captionBatch captions preprocessed photos together. The error is about none of
// them alone.
func (c *Captioner) captionBatch(ctx context.Context, pixels [][]float32) ([]result, error) {
	release, err := c.hold()
	if err != nil {
		return nil, err
	}
	defer release()
	if c.generator == nil {
		return nil, c.captionsNothing()
	}
	embeddings, err := c.sound(c.encoder.Image(ctx, pixels))
	if err != nil {
		return nil, err
	}
	return c.captionEmbeddings(ctx, embeddings)
}

func (c *Captioner) captionsNothing() error {
	return fmt.Errorf("model %q is a CLIP alone: it embeds photos but does not caption them", c.folder.Config.Name)
}

// captionEmbeddings captions photos from their embeddings.
func (c *Captioner) captionEmbeddings(ctx context.Context, embeddings [][]float32) ([]result, error) {
	candidates, err := c.candidates(ctx, embeddings)
	if err != nil {
		return nil, err
	}
	if c.compare {
		if err := c.rate(ctx, embeddings, candidates); err != nil {
			return nil, err
		}
	}
	results := make([]result, len(candidates))
	for i, alternatives := range candidates {
		results[i].Caption, results[i].err = c.best(alternatives)
	}
	return results, nil
}

// candidates finds captions for embeddings.
func (c *Captioner) candidates(ctx context.Context, embeddings [][]float32) ([][]Alternative, error) {
	if c.align == modelfolder.AlignCaption {
		return c.remembered(embeddings)
	}
	moved, err := c.aligned(ctx, embeddings)
	if err != nil {
		return nil, err
	}
	search := c.search
	switch {
	case c.zeroShot != nil:
		search = c.searchZeroShot
	case c.folder.Config.MAGIC != nil:
		search = c.searchGuided
	}
	found, err := search(ctx, moved)
	if err != nil {
		return nil, err
	}
	candidates := make([][]Alternative, len(found))
	for i, hypotheses := range found {
		candidates[i] = c.texts(hypotheses)
	}
	return candidates, nil
}

// captionHeld captions photos from embeddings that were checked.
func (c *Captioner) captionHeld(ctx context.Context, embeddings [][]float32) ([]result, error) {
	release, err := c.hold()
	if err != nil {
		return nil, err
	}
	defer release()
	if c.generator == nil {
		return nil, c.captionsNothing()
	}
	return c.captionEmbeddings(ctx, embeddings)
}

func (c *Captioner) checkEmbedding(embedding []float32) error {
	switch want := c.folder.Config.CLIP.EmbedDim; {
	case len(embedding) != want:
		return fmt.Errorf("an embedding of width %d, want %d", len(embedding), want)
	case slices.ContainsFunc(embedding, func(v float32) bool { return v-v != 0 }):
		return errors.New("an embedding with NaN or infinity")
	}
	return nil
}

// sound passes on what the CLIP made, unless that is NaN, which broken weights make.
func (c *Captioner) sound(embeddings [][]float32, err error) ([][]float32, error) {
	for _, e := range embeddings {
		if err := c.checkEmbedding(e); err != nil {
			return nil, fmt.Errorf("model %q: its CLIP makes %w", c.folder.Config.Name, err)
		}
	}
	return embeddings, err
}

// search decodes captions for embeddings: all together, but where it samples one
// photo after the other, so that a photo's draws do not depend on its place.
func (c *Captioner) search(ctx context.Context, embeddings [][]float32) ([][]decode.Hypothesis, error) {
	together := len(embeddings)
	if c.decoding.Strategy == decode.Sample {
		together = 1
	}
	var found [][]decode.Hypothesis
	for rows := range slices.Chunk(embeddings, max(together, 1)) {
		session, err := c.generator.Start(rows, c.decoding.MaxLength)
		if err != nil {
			return nil, err
		}
		hypotheses, err := decode.Search(ctx, session, c.decoding)
		session.Close()
		if err != nil {
			return nil, err
		}
		found = append(found, hypotheses...)
	}
	return found, nil
}

// best makes the first of alternatives the caption.
func (c *Captioner) best(alternatives []Alternative) (Caption, error) {
	if len(alternatives) == 0 {
		return Caption{}, fmt.Errorf("%w: the model found no word within %d tokens", ErrEmpty, c.decoding.MaxLength)
	}
	if c.rerank {
		slices.SortStableFunc(alternatives, func(a, b Alternative) int { return cmp.Compare(b.Similarity, a.Similarity) })
	}
	alternatives = alternatives[:min(len(alternatives), c.keep)]
	first := alternatives[0]
	caption := Caption{Text: first.Text, LogProb: first.LogProb, Similarity: first.Similarity}
	if len(alternatives) > 1 {
		caption.Alternatives = alternatives[1:]
	}
	return caption, nil
}
