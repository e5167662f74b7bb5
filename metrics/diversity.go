package metrics

import (
	"iter"
	"math"
	"strings"
)

// SelfCIDEr says how much the captions of one image differ (Wang and Chan,
// Describing like humans, 2019). The similarities of all pairs, as CIDEr
// without the clipping and length penalty of CIDEr-D, make a matrix; with its
// eigenvalues λ, the score is −log_m(√λ_max / Σ√λ) for m captions: 0 if all say
// the same, 1 if no two share an n-gram. sets[i] are the captions of image i;
// df, which may not be nil, is best that of a large corpus. The corpus score is
// the mean. An image with fewer than two captions scores 0.
func SelfCIDEr(sets [][][]string, df *DocumentFrequencies) Scores {
	images := make([]float64, len(sets))
	parallel(len(sets), func(begin, end int) {
		for i := begin; i < end; i++ {
			images[i] = selfCIDEr(sets[i], df)
		}
	})
	return meanScores("self_cider", images)
}

func selfCIDEr(captions [][]string, df *DocumentFrequencies) float64 {
	m := len(captions)
	if m < 2 {
		return 0
	}
	vectors := make([]tfidf, m)
	for i, caption := range captions {
		vectors[i].fill(caption, df)
	}
	kernel := make([][]float64, m)
	for i := range kernel {
		kernel[i] = make([]float64, m)
		for j := range kernel[i] {
			kernel[i][j] = vectors[i].cosine(&vectors[j])
		}
	}
	largest, sum := 0.0, 0.0
	for _, lambda := range eigenvalues(kernel) {
		root := math.Sqrt(max(lambda, 0)) // rounding may make a zero negative
		largest = max(largest, root)
		sum += root
	}
	if sum == 0 {
		return 0 // no caption has a weighted n-gram
	}
	return -math.Log(largest/sum) / math.Log(float64(m))
}

// eigenvalues returns those of a symmetric matrix, which it overwrites: by
// Jacobi's rotations, each of which makes one pair of elements zero.
func eigenvalues(a [][]float64) []float64 {
	const sweeps, negligible = 50, 1e-24
	for range sweeps {
		off := 0.0
		for p := range a {
			for q := p + 1; q < len(a); q++ {
				off += a[p][q] * a[p][q]
				rotate(a, p, q)
			}
		}
		if off < negligible {
			break
		}
	}
	values := make([]float64, len(a))
	for i := range a {
		values[i] = a[i][i]
	}
	return values
}

// rotate turns the plane of axes p and q so that a[p][q] becomes zero.
func rotate(a [][]float64, p, q int) {
	if a[p][q] == 0 {
		return
	}
	theta := (a[q][q] - a[p][p]) / (2 * a[p][q])
	t := math.Copysign(1, theta) / (math.Abs(theta) + math.Sqrt(theta*theta+1))
	c := 1 / math.Sqrt(t*t+1)
	s := t * c
	for k := range a {
		kp, kq := a[k][p], a[k][q]
		a[k][p], a[k][q] = c*kp-s*kq, s*kp+c*kq
	}
	for k := range a {
		pk, qk := a[p][k], a[q][k]
		a[p][k], a[q][k] = c*pk-s*qk, s*pk+c*qk
	}
}

// Distinct returns the share of different n-grams among all n-grams of the
// captions together (Li et al., 2016: distinct-1, distinct-2), 0 for none.
func Distinct(captions [][]string, n int) float64 {
	found := map[gram]bool{}
	total := 0
	var words, grams []gram
	for _, caption := range captions {
		words = appendWords(words[:0], caption)
		grams = appendGrams(grams[:0], words, n)
		for _, g := range grams {
			found[g] = true
		}
		total += len(grams)
	}
	return float64(len(found)) / float64(max(total, 1))
}

// MeanLength returns the mean number of tokens of a caption, 0 for none.
func MeanLength(captions [][]string) float64 {
	total := 0
	for _, caption := range captions {
		total += len(caption)
	}
	return float64(total) / float64(max(len(captions), 1))
}

// Copies tells for each caption whether the corpus has it, token by token: 1
// if so. The corpus score is the share of copies. The corpus is read once and
// not kept.
func Copies(captions [][]string, corpus iter.Seq[[]string]) Scores {
	same := map[string][]int{} // the captions by their text
	for i, caption := range captions {
		text := strings.Join(caption, " ")
		same[text] = append(same[text], i)
	}
	images := make([]float64, len(captions))
	for text := range corpus {
		key := strings.Join(text, " ")
		for _, i := range same[key] {
			images[i] = 1
		}
		delete(same, key)
	}
	return meanScores("copies", images)
}
