package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"

	"github.com/cutline-go/cutline/captioner"
)

// captionCmd writes a caption for each photo.
type captionCmd struct {
	inputFlags
	modelFlags
	decodingFlags
	Format string `enum:"text,json,jsonl,csv,tsv" default:"text" help:"What to print: ${enum}. Text is FILE, tab, caption; one photo's name is left out."`
	Batch  int    `default:"8" help:"Photos that are captioned at once."`

	Sum string `placeholder:"W,..." help:"One caption, of the sum of the photos' embeddings by these weights, one for each."`
}

func (cmd *captionCmd) Run(ctx context.Context, c *console) error {
	if cmd.Batch < 1 {
		return &usageError{"--batch must be at least 1", ""}
	}
	inputs, err := cmd.list(c.in)
	if err != nil {
		return err
	}
	summed := cmd.Sum != ""
	if summed && cmd.Method == "zerocap" {
		cmd.Method = "zerocap-sum"
	}
	scores := cmd.Format != "text" || cmd.NBest > 1
	model, err := openToCaption(&cmd.modelFlags, &cmd.decodingFlags, cmd.Batch, scores)
	if err != nil {
		return err
	}
	defer model.Close()
	out, err := newSink(cmd.Format, c.out, textShape{file: !cmd.single(inputs) && !summed, scores: cmd.NBest > 1})
	if err != nil {
		return err
	}
	work := &captioning{model, c, c.open, out, newProgress(c.messages, len(inputs)), false}
	if summed {
		err = work.sum(ctx, inputs, cmd.Sum)
	} else {
		err = work.all(ctx, inputs, cmd.Batch)
	}
	if closing := out.close(); err == nil {
		err = closing
	}
	return err
}

// openToCaption opens a model that captions, batch photos at once, and tells how alike
// photo and caption are where scores are wanted.
func openToCaption(flags *modelFlags, decoding *decodingFlags, batch int, scores bool) (*captioner.Captioner, error) {
	model, err := flags.open(batch)
	if err != nil {
		return nil, err
	}
	if info := model.Info(); !info.Captions {
		err = fmt.Errorf("model %q is a CLIP alone, which embeds photos but does not caption them", info.Name)
		return nil, errors.Join(err, model.Close())
	}
	configured, err := decoding.apply(model, scores)
	if err != nil {
		return nil, errors.Join(err, model.Close())
	}
	return configured, nil
}

// captioning is a run over many photos. One that fails is told and does not
// stop the others.
type captioning struct {
	model    *captioner.Captioner
	console  *console
	open     opener
	out      sink
	progress progress
	failed   bool
}

func (w *captioning) all(ctx context.Context, inputs []input, batch int) error {
	defer w.progress.hide()
	for chunk := range slices.Chunk(inputs, batch) {
		if err := w.chunk(ctx, chunk); err != nil {
			return err
		}
	}
	if w.failed {
		return errReported
	}
	return nil
}

// chunk reads and captions photos together, and writes what came of them in
// their order.
func (w *captioning) chunk(ctx context.Context, inputs []input) error {
	photos := readPhotos(w.model, inputs, w.open)
	captions, err := w.caption(ctx, photos)
	if err != nil {
		return err
	}
	for i, p := range photos {
		var caption captioner.Caption
		if p.err == nil {
			caption, p.err = captions[0].Caption, captions[0].err
			captions = captions[1:]
		}
		w.progress.hide()
		if p.err != nil {
			w.failed = true
			w.console.fileError(inputs[i].name, p.err)
		} else if err := w.out.write(newResult(inputs[i].name, caption)); err != nil {
			return err
		}
		w.progress.step()
	}
	return nil
}

// captioned is what came of a photo that could be read.
type captioned struct {
	captioner.Caption
	err error
}

// caption captions the photos that could be read. Its own error is about none
// of them: the run cannot go on.
func (w *captioning) caption(ctx context.Context, photos []photo) ([]captioned, error) {
	var images []image.Image
	for _, p := range photos {
		if p.err == nil {
			images = append(images, p.image)
		}
	}
	if len(images) == 0 {
		return nil, ctx.Err()
	}
	var done []captioned
	for caption, err := range w.model.Captions(ctx, slices.Values(images)) {
		done = append(done, captioned{caption, err})
	}
	if len(done) < len(images) {
		return nil, done[len(done)-1].err
	}
	return done, ctx.Err()
}

// newResult is a caption as it is printed.
func newResult(file string, caption captioner.Caption) result {
	best := scored{caption.Text, float32(caption.LogProb), float32(caption.Similarity)}
	r := result{File: file, scored: best}
	if len(caption.Alternatives) > 0 {
		r.Candidates = []scored{best}
	}
	for _, a := range caption.Alternatives {
		r.Candidates = append(r.Candidates, scored{a.Text, float32(a.LogProb), float32(a.Similarity)})
	}
	return r
}
