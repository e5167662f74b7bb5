// Package align closes the gap between a CLIP's embeddings of photos and of texts,
// which lie in two separate cones: mean shift, rotation along principal axes,
// optimal transport and mixup, as the Unsupervised-ClipCap paper tried them. Sums run
// in float64.
//
// Letters: E CLIP width, N photos, M texts. A set is [N, E], one row per embedding;
// rows may point into a mapped file and are only read.
package align

import (
	"errors"
	"fmt"
	"iter"
	"math"
)

// check refuses sets that nothing can be computed of: empty ones, rows of several
// widths, NaN and infinities. what names the set in errors.
func check(what string, rows [][]float32) error {
	if len(rows) == 0 {
		return fmt.Errorf("align: no %s", what)
	}
	for i, row := range rows {
		if len(row) != len(rows[0]) || len(row) == 0 {
			return fmt.Errorf("align: %s: embedding %d has width %d, the first has %d", what, i, len(row), len(rows[0]))
		}
		for j, v := range row {
			if v != v || math.IsInf(float64(v), 0) {
				return fmt.Errorf("align: %s: embedding %d has %g at %d", what, i, v, j)
			}
		}
	}
	return nil
}

// checkBoth checks photos and texts, which must be of one width.
func checkBoth(photos, texts [][]float32) error {
	if err := check("photos", photos); err != nil {
		return err
	}
	if err := check("texts", texts); err != nil {
		return err
	}
	if len(photos[0]) != len(texts[0]) {
		return fmt.Errorf("align: photos of width %d and texts of width %d are not of one CLIP", len(photos[0]), len(texts[0]))
	}
	return nil
}

// Centre returns the mean of a set: [E].
func Centre(rows iter.Seq[[]float32]) ([]float32, error) {
	var sum []float64
	count := 0
	for row := range rows {
		if sum == nil {
			sum = make([]float64, len(row))
		}
		if len(row) != len(sum) {
			return nil, fmt.Errorf("align: embedding %d has width %d, the first has %d", count, len(row), len(sum))
		}
		for j, v := range row {
			sum[j] += float64(v)
		}
		count++
	}
	if count == 0 {
		return nil, errors.New("align: no embeddings")
	}
	for j := range sum {
		if sum[j] /= float64(count); math.IsNaN(sum[j]) || math.IsInf(sum[j], 0) {
			return nil, fmt.Errorf("align: the mean of the embeddings is %g at %d", sum[j], j)
		}
	}
	return narrow(sum), nil
}

func mean(rows [][]float32) []float64 {
	sum := make([]float64, len(rows[0]))
	for _, row := range rows {
		for j, v := range row {
			sum[j] += float64(v)
		}
	}
	for j := range sum {
		sum[j] /= float64(len(rows))
	}
	return sum
}

// MeanShift moves an embedding [E] from around one centre to around another:
//
//	x' = x − from + to
func MeanShift(x, from, to []float32) []float32 {
	out := make([]float32, len(x))
	for j, v := range x {
		out[j] = float32(float64(v) - float64(from[j]) + float64(to[j]))
	}
	return out
}

// Mixup lies between the embeddings of a text and a photo, [E] both:
//
//	x = λ·text + (1−λ)·photo
func Mixup(text, photo []float32, lambda float64) []float32 {
	out := make([]float32, len(text))
	for j, t := range text {
		out[j] = float32(lambda*float64(t) + (1-lambda)*float64(photo[j]))
	}
	return out
}

// Unit divides an embedding [E] by its length; a zero vector stays zero.
func Unit(x []float32) []float32 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	scale := 1 / math.Max(math.Sqrt(sum), 1e-12)
	out := make([]float32, len(x))
	for j, v := range x {
		out[j] = float32(float64(v) * scale)
	}
	return out
}

// Units is [Unit] of every row of a set.
func Units(rows [][]float32) [][]float32 {
	out := make([][]float32, len(rows))
	for i, row := range rows {
		out[i] = Unit(row)
	}
	return out
}

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for j, v := range x {
		out[j] = float32(v)
	}
	return out
}
