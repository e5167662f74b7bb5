package metrics

import (
	"fmt"
	"math"
)

// Retrieval says whether captions find their own photos among all photos.
type Retrieval struct {
	R1, R5 Scores // 1 for each caption whose photo is among the first 1 or 5, and the share of these
	Ranks  []int  // of each caption's own photo, from 1
}

// SelfRetrieval ranks all images by the cosine of their embeddings with each
// candidate's; candidate i describes image i. An image that is as similar as
// the own one ranks before it, so that embeddings that are all the same find
// nothing. The time is quadratic in the number of images. An error is returned
// unless each image has one candidate of the same width.
func SelfRetrieval(images, candidates [][]float32) (Retrieval, error) {
	if err := checkPairs(images, candidates); err != nil {
		return Retrieval{}, fmt.Errorf("self-retrieval: %w", err)
	}
	images, candidates = unitVectors(images), unitVectors(candidates)
	ranks := make([]int, len(images))
	parallel(len(images), func(begin, end int) {
		for i := begin; i < end; i++ {
			ranks[i] = rankOf(i, images, candidates[i])
		}
	})
	return Retrieval{R1: recall("r@1", ranks, 1), R5: recall("r@5", ranks, 5), Ranks: ranks}, nil
}

// rankOf returns the rank of image own for the candidate.
func rankOf(own int, images [][]float32, candidate []float32) int {
	similarity := dotOf(images[own], candidate)
	rank := 1
	for i, image := range images {
		if i != own && dotOf(image, candidate) >= similarity {
			rank++
		}
	}
	return rank
}

func recall(name string, ranks []int, most int) Scores {
	found := make([]float64, len(ranks))
	for i, rank := range ranks {
		if rank <= most {
			found[i] = 1
		}
	}
	return meanScores(name, found)
}

// unitVectors returns the vectors at length 1, zero vectors as they are.
func unitVectors(vectors [][]float32) [][]float32 {
	units := make([][]float32, len(vectors))
	for i, v := range vectors {
		sum := 0.0
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		units[i] = make([]float32, len(v))
		if sum == 0 {
			continue
		}
		for j, x := range v {
			units[i][j] = float32(float64(x) / math.Sqrt(sum))
		}
	}
	return units
}

// dotOf adds up in four lanes, which is twice as fast as in one.
func dotOf(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}
