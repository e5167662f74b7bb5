package main

import (
	"context"
	"fmt"
	"image"
	"iter"
	"strings"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/internal/evaluate"
	"github.com/cutline-go/cutline/metrics"
)

// systems prints the scores of the model, as carried and with beams, and of what it must
// beat. It returns the captions as carried.
func systems(ctx context.Context, c *captioner.Captioner, train, photos set) ([]string, error) {
	carried, err := caption(ctx, c, photos)
	if err != nil {
		return nil, err
	}
	searching, err := c.With(captioner.Decoding{Beams: 5, NBest: 5, Rerank: true})
	if err != nil {
		return nil, err
	}
	beams, err := caption(ctx, searching, photos)
	if err != nil {
		return nil, err
	}
	nearest, err := nearest(ctx, c, train, photos)
	if err != nil {
		return nil, err
	}
	constant := constant(train)
	fmt.Println("| captions | CIDEr | BLEU-4 | METEOR (exact+stem+synonym) | ROUGE-L | distinct | copied from training |")
	fmt.Println("| --- | --- | --- | --- | --- | --- | --- |")
	for _, s := range []struct {
		name     string
		captions []string
	}{
		{"as carried", carried},
		{"of 5 beams the one that CLIP likes best", beams},
		{"as carried, of the next photo", append(append([]string{}, carried[1:]...), carried[0])},
		{"of the nearest training photo by the same CLIP", nearest},
		{fmt.Sprintf("always “%s”", constant), repeat(constant, len(photos.records))},
	} {
		if err := row(ctx, s.name, samples(photos, s.captions), train); err != nil {
			return nil, err
		}
	}
	fmt.Print("\nThe first ten photos of captions.jsonl, as carried:\n\n")
	for i := range min(10, len(carried)) {
		fmt.Printf("- %s: %s\n", photos.records[i].Image, carried[i])
	}
	return carried, nil
}

// row scores one system.
func row(ctx context.Context, name string, s []metrics.Sample, train set) error {
	var scorers []evaluate.Scorer
	for _, metric := range []evaluate.Metric{evaluate.CIDEr, evaluate.BLEU, evaluate.METEOR, evaluate.ROUGE, evaluate.Diversity, evaluate.Copies} {
		scorer, err := metric.Scorer(evaluate.Resources{Corpus: references(train)})
		if err != nil {
			return err
		}
		scorers = append(scorers, scorer)
	}
	scores, err := evaluate.Run(ctx, evaluate.InMemory(s), scorers, nil)
	if err != nil {
		return err
	}
	intervals, err := (evaluate.Bootstrap{Resamples: 1000, Seed: 1}).Intervals(scores)
	if err != nil {
		return err
	}
	fmt.Printf("| %s ", name)
	for i, score := range scores {
		switch score.Key {
		case "cider", "bleu4", "meteor", "rouge_l":
			fmt.Printf("| %.3f, %.3f to %.3f ", score.Corpus, intervals[i].Low, intervals[i].High)
		case "distinct_captions", "copies":
			fmt.Printf("| %.1f %% ", 100*score.Corpus)
		}
	}
	fmt.Println("|")
	return nil
}

// caption returns the caption of each photo.
func caption(ctx context.Context, c *captioner.Captioner, photos set) ([]string, error) {
	var captions []string
	var failed error
	for caption, err := range c.Captions(ctx, pictures(c, photos, &failed)) {
		if err != nil {
			return nil, err
		}
		captions = append(captions, caption.Text)
	}
	return captions, failed
}

// pictures reads the photos; it stops at the first that cannot be read, and says so in
// failed.
func pictures(c *captioner.Captioner, photos set, failed *error) iter.Seq[image.Image] {
	return func(yield func(image.Image) bool) {
		for _, r := range photos.records {
			picture, err := read(c, photos, r.Image)
			if err != nil {
				*failed = err
				return
			}
			if !yield(picture) {
				return
			}
		}
	}
}

func read(c *captioner.Captioner, photos set, name string) (image.Image, error) {
	file, err := photos.archive.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	picture, err := c.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return picture, nil
}

func samples(photos set, captions []string) []metrics.Sample {
	out := make([]metrics.Sample, len(captions))
	for i, text := range captions {
		r := photos.records[i]
		out[i] = metrics.Sample{ID: r.Image, Candidate: strings.TrimSpace(text), References: r.Captions}
	}
	return out
}

// references yields all captions of the photos.
func references(photos set) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, r := range photos.records {
			for _, caption := range r.Captions {
				if !yield(caption, nil) {
					return
				}
			}
		}
	}
}

func repeat(text string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = text
	}
	return out
}
