package metrics

import "math"

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
	return math.Log(sum/largest) / math.Log(float64(m))
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
