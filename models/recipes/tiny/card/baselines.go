package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/metrics"
)

// nearest gives each photo the first caption of the training photo whose embedding is
// most like its own.
func nearest(ctx context.Context, c *captioner.Captioner, train, photos set) ([]string, error) {
	known, err := embed(ctx, c, train)
	if err != nil {
		return nil, err
	}
	queries, err := embed(ctx, c, photos)
	if err != nil {
		return nil, err
	}
	found, err := align.Nearest(rows(known), queries)
	if err != nil {
		return nil, err
	}
	captions := make([]string, len(found))
	for i, row := range found {
		captions[i] = train.records[row].Captions[0]
	}
	return captions, nil
}

// rows are embeddings as [align.Nearest] reads them.
type rows [][]float32

func (r rows) Len() int   { return len(r) }
func (r rows) Width() int { return len(r[0]) }

func (r rows) Block(from, to int, into []float32) {
	for i, row := range r[from:to] {
		copy(into[i*len(row):], row)
	}
}

// shortlisted is the number of captions that constant scores on all photos, and the
// number of photos that it lists them by.
const shortlisted = 200

// constant returns the training caption with the highest CIDEr on all training photos,
// of those that are best on a sample of them.
func constant(train set) string {
	var tokens []metrics.Sample
	for _, r := range train.records {
		tokens = append(tokens, metrics.Sample{References: r.Captions})
	}
	images := metrics.TokenizeAll(tokens)
	df := metrics.CountDocuments(images)
	var captions []string
	for _, r := range train.records {
		captions = append(captions, r.Captions...)
	}
	slices.Sort(captions)
	captions = slices.Compact(captions)
	every := len(images) / shortlisted
	var few []metrics.Tokens
	for i := range shortlisted {
		few = append(few, images[i*every])
	}
	return best(best(captions, few, df, shortlisted), images, df, 1)[0]
}

// best returns the most captions with the highest CIDEr on images, best first.
func best(captions []string, images []metrics.Tokens, df *metrics.DocumentFrequencies, most int) []string {
	scores := make(map[string]float64, len(captions))
	samples := slices.Clone(images)
	for _, caption := range captions {
		words := metrics.TokenizeAll([]metrics.Sample{{Candidate: caption}})[0].Candidate
		for i := range samples {
			samples[i].Candidate = words
		}
		scores[caption] = metrics.CIDErD(samples, df).Corpus
	}
	sorted := slices.Clone(captions)
	slices.SortStableFunc(sorted, func(a, b string) int { return cmp.Compare(scores[b], scores[a]) })
	return sorted[:min(most, len(sorted))]
}

// embed returns the photos' embeddings.
func embed(ctx context.Context, c *captioner.Captioner, photos set) ([][]float32, error) {
	var out [][]float32
	for _, r := range photos.records {
		picture, err := read(c, photos, r.Image)
		if err != nil {
			return nil, err
		}
		embedding, err := c.EmbedImage(ctx, picture)
		if err != nil {
			return nil, err
		}
		out = append(out, embedding)
	}
	return out, nil
}
