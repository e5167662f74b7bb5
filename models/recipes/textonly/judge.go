package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/internal/evaluate"
	"github.com/cutline-go/cutline/metrics"
)

// judge is a CLIP that looks for the photos of val by what is said of them.
type judge struct {
	clip *captioner.Captioner
	val  set
}

// found is how well a CLIP tells photos by their captions, among as many as have one.
type found struct {
	Recall     [3]float64 `json:"recall"`   // share whose photo is among the first 1, 5 and 10
	Interval   [2]float64 `json:"interval"` // of the second, 95 %
	MedianRank float64    `json:"median_rank"`
	Similarity float64    `json:"similarity"` // mean cosine of photo and caption
}

// String is the numbers as a table has them: recall in per cent.
func (f found) String() string {
	return fmt.Sprintf("%.1f, %.1f, %.1f %%, %.1f, %.3f", 100*f.Recall[0], 100*f.Recall[1], 100*f.Recall[2], f.MedianRank, f.Similarity)
}

// look looks for the first photos of val by a caption of each.
func (j judge) look(ctx context.Context, captions []string) (found, error) {
	var texts [][]float32
	for _, caption := range captions {
		text, err := j.clip.EmbedText(ctx, caption)
		if err != nil {
			return found{}, err
		}
		texts = append(texts, text)
	}
	return find(j.val.photos[:len(texts)], texts)
}

// find looks for each photo by the text of its number.
func find(photos, texts [][]float32) (found, error) {
	var out found
	of, err := metrics.SelfRetrieval(photos, texts)
	if err != nil {
		return out, err
	}
	n := float64(len(of.Ranks))
	for i, k := range []int{1, 5, 10} {
		for _, rank := range of.Ranks {
			if rank <= k {
				out.Recall[i] += 1 / n
			}
		}
	}
	ranks := slices.Sorted(slices.Values(of.Ranks))
	out.MedianRank = float64(ranks[(len(ranks)-1)/2]+ranks[len(ranks)/2]) / 2
	intervals, err := evaluate.Bootstrap{Resamples: 1000, Seed: 1}.Intervals([]evaluate.Score{evaluate.NewMean("r5", of.R5)})
	if err != nil {
		return out, err
	}
	out.Interval = [2]float64{intervals[0].Low, intervals[0].High}
	likeness, err := metrics.CLIPScores("", photos, texts) // cosines, whoever made the CLIP
	out.Similarity = likeness.Corpus
	return out, err
}
