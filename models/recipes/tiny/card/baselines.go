package main

import (
	"context"
	"math"
	"slices"

	"github.com/cutline-go/cutline/captioner"
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
	captions := make([]string, len(queries))
	for i, query := range queries {
		best, at := math.Inf(-1), 0
		for j, embedding := range known {
			if s := dot(query, embedding); s > best {
				best, at = s, j
			}
		}
		captions[i] = train.records[at].Captions[0]
	}
	return captions, nil
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
	slices.SortStableFunc(sorted, func(a, b string) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	return sorted[:min(most, len(sorted))]
}

// embed returns the photos' embeddings at length 1.
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
		out = append(out, unit(embedding))
	}
	return out, nil
}

func unit(v []float32) []float32 {
	norm := math.Sqrt(dot(v, v))
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(float64(x) / norm)
	}
	return out
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
