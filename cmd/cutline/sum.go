package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// sum captions one sum of the photos' embeddings, by the weights of --sum.
func (w *captioning) sum(ctx context.Context, inputs []input, list string) error {
	weights, err := parseWeights(list)
	if err != nil {
		return err
	}
	if len(weights) != len(inputs) {
		return &usageError{fmt.Sprintf("--sum has %d weights for %d photos", len(weights), len(inputs)), ""}
	}
	var total []float32
	var terms []string
	for i, in := range inputs {
		p := readPhoto(w.model, in, w.open)
		if p.err != nil {
			return fmt.Errorf("%s: %w", in.name, p.err)
		}
		embedding, err := w.model.EmbedImage(ctx, p.image)
		if err != nil {
			return fmt.Errorf("%s: %w", in.name, err)
		}
		if total == nil {
			total = make([]float32, len(embedding))
		}
		for j, v := range embedding {
			total[j] += float32(weights[i]) * v
		}
		terms = append(terms, fmt.Sprintf("%+g %s", weights[i], in.name))
	}
	for caption, err := range w.model.CaptionEmbeddings(ctx, slices.Values([][]float32{total})) {
		if err != nil {
			return err
		}
		if err := w.out.write(newResult(strings.Join(terms, " "), caption)); err != nil {
			return err
		}
	}
	return nil
}

// parseWeights reads numbers with commas between them.
func parseWeights(list string) ([]float64, error) {
	var out []float64
	for field := range strings.SplitSeq(list, ",") {
		weight, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
		if err != nil || math.IsNaN(weight) || math.IsInf(weight, 0) {
			return nil, &usageError{fmt.Sprintf("--sum %s: %q is no number", list, field), "--sum=1,-0.5 weighs two photos"}
		}
		out = append(out, weight)
	}
	return out, nil
}
