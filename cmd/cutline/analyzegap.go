package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/evaluate"
)

// analyzeGapCmd measures the gap between photos and their captions in a model's CLIP
// and, where the model captions, what becomes of captions along it.
type analyzeGapCmd struct {
	References string    `required:"" placeholder:"FILE" help:"Photos' captions, in any format that eval takes."`
	Split      string    `placeholder:"NAME" help:"Only the photos of a split, such as val."`
	Photos     string    `required:"" placeholder:"PATH" help:"The photos: a folder or an uncompressed tar archive."`
	Limit      int       `default:"1000" placeholder:"N" help:"Photos that are looked at, from the first."`
	Mixup      []float64 `default:"0,0.25,0.5,0.75,1" placeholder:"λ,…" help:"Shares of the text in the embeddings that are captioned: 0 is the photo, 1 a caption of it."`
	Alignments bool      `help:"Caption the photos by every alignment with these texts, too: mean, rotation, optimal transport."`
	SVG        string    `name:"svg" placeholder:"FILE" help:"Draw the curve to FILE."`
	Format     string    `enum:"text,json" default:"text" help:"What to print: ${enum}."`
	modelFlags
	decodingFlags
}

func (cmd *analyzeGapCmd) Run(ctx context.Context, c *console) error {
	if err := cmd.check(); err != nil {
		return err
	}
	model, err := cmd.open(32)
	if err != nil {
		return err
	}
	defer model.Close()
	info := model.Info()
	if !info.Captions {
		if cmd.SVG != "" || cmd.Alignments {
			return fmt.Errorf("model %q is a CLIP alone: it writes no captions to draw a curve of", info.Name)
		}
	} else if model, err = cmd.apply(model, false); err != nil {
		return err
	}
	set, err := cmd.embed(ctx, c, model)
	if err != nil {
		return err
	}
	report := &gapReport{Model: info.Name, CLIP: info.CLIP, Photos: len(set.photos), Texts: len(set.texts)}
	if report.Gap, err = align.NewGap(set.photos, set.texts, set.of); err != nil {
		return err
	}
	if info.Captions {
		if err := cmd.captions(ctx, c, model, set, report); err != nil {
			return err
		}
	}
	if cmd.SVG != "" {
		if err := writeFile(cmd.SVG, report.draw); err != nil {
			return err
		}
	}
	if cmd.Format == "json" {
		return writeJSON(c.out, "", report)
	}
	return report.text(c.out)
}

func (cmd *analyzeGapCmd) check() error {
	for _, lambda := range cmd.Mixup {
		if !(lambda >= 0 && lambda <= 1) {
			return &usageError{fmt.Sprintf("--mixup has %g, want shares from 0 to 1", lambda), ""}
		}
	}
	switch {
	case cmd.Limit < 2:
		return &usageError{"--limit must be at least 2", ""}
	case cmd.SVG != "" && len(cmd.Mixup) == 0:
		return &usageError{"--svg draws the curve of --mixup", ""}
	}
	return nil
}

// captions captions along the curve, and by each alignment.
func (cmd *analyzeGapCmd) captions(ctx context.Context, c *console, model *captioner.Captioner, set *gapSet, report *gapReport) error {
	photos, texts := set.photos, set.firstTexts()
	if model.Info().Normalizes {
		photos, texts = align.Units(photos), align.Units(texts)
	}
	for _, lambda := range cmd.Mixup {
		mixed := make([][]float32, len(photos))
		for i := range photos {
			mixed[i] = align.Mixup(texts[i], photos[i], lambda)
		}
		summary, err := cmd.summarize(ctx, c, model, mixed, set)
		if err != nil {
			return err
		}
		report.Mixup = append(report.Mixup, mixupPoint{lambda, summary})
	}
	if !cmd.Alignments {
		return nil
	}
	aligned, err := align.Every(photos, photos, texts)
	if err != nil {
		return err
	}
	for _, a := range aligned {
		summary, err := cmd.summarize(ctx, c, model, a.Photos, set)
		if err != nil {
			return err
		}
		report.Alignments = append(report.Alignments, alignmentScore{a.Name, summary})
	}
	return nil
}

// summarize captions embeddings and compares with the references.
func (cmd *analyzeGapCmd) summarize(ctx context.Context, c *console, model *captioner.Captioner, embeddings [][]float32, set *gapSet) (evaluate.Summary, error) {
	bar := newProgress(c.messages, len(embeddings))
	defer bar.hide()
	samples := slices.Clone(set.samples)
	i := 0
	for caption, err := range model.CaptionEmbeddings(ctx, slices.Values(embeddings)) {
		if err != nil && !errors.Is(err, captioner.ErrEmpty) {
			return evaluate.Summary{}, err
		}
		samples[i].Candidate = caption.Text // none counts as the worst
		bar.step()
		i++
	}
	return evaluate.Bootstrap{Resamples: 1000, Seed: cmd.Seed}.Summarize(ctx, samples)
}
