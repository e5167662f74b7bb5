package main

import (
	"context"
	"fmt"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/metrics"
)

// aspects prints CIDEr of the photos that are also at hand undistorted, and of their
// squashed versions, whose captions are known.
func aspects(ctx context.Context, c *captioner.Captioner, native, squashed set, captions []string) error {
	undistorted, err := caption(ctx, c, native)
	if err != nil {
		return err
	}
	index := make(map[string]string)
	for i, r := range squashed.records {
		index[r.Image] = captions[i]
	}
	var same []string
	for _, r := range native.records {
		same = append(same, index[r.Image])
	}
	// One measure for both: the document frequencies of the whole split.
	df := metrics.CountDocuments(metrics.TokenizeAll(samples(squashed, captions)))
	score := func(captions []string) float64 {
		return metrics.CIDErD(metrics.TokenizeAll(samples(native, captions)), df).Corpus
	}
	fmt.Printf("\nCIDEr of the %d photos that are at hand undistorted: %.3f; of their squashed versions: %.3f\n",
		len(native.records), score(undistorted), score(same))
	return nil
}

// recall prints how often a photo is among the first k of all for its own captions.
func recall(ctx context.Context, c *captioner.Captioner, photos set) error {
	images, err := embed(ctx, c, photos)
	if err != nil {
		return err
	}
	var ranks []int
	for k := range len(photos.records[0].Captions) {
		var texts [][]float32
		for _, r := range photos.records {
			text, err := c.EmbedText(ctx, r.Captions[k])
			if err != nil {
				return err
			}
			texts = append(texts, text)
		}
		found, err := metrics.SelfRetrieval(images, texts)
		if err != nil {
			return err
		}
		ranks = append(ranks, found.Ranks...)
	}
	fmt.Printf("\nText-to-photo recall among %d photos, by their %d captions:", len(images), len(ranks))
	for _, k := range []int{1, 5, 10} {
		within := 0
		for _, rank := range ranks {
			if rank <= k {
				within++
			}
		}
		fmt.Printf(" %.1f %% at %d", 100*float64(within)/float64(len(ranks)), k)
	}
	fmt.Println()
	return nil
}
