package metrics

import "math"

// CIDErD computes CIDEr-D, which is what coco-caption and the papers call
// CIDEr (Vedantam et al., 2015): for n = 1 to 4 the similarity of candidate and
// reference as vectors of n-grams, weighted by tf-idf and clipped to the
// reference, times a penalty on the difference of their lengths (σ = 6); the
// mean over n and over references, times ten. The corpus score is the mean.
//
// With df nil, the document frequencies are those of the samples' own
// references. Then one image alone scores 0, because all that its references
// have occurs in every document. Length is the number of bigrams, one less
// than the number of words, as in the official code. A sample without
// references scores 0.
func CIDErD(samples []Tokens, df *DocumentFrequencies) Scores {
	if df == nil {
		df = CountDocuments(samples)
	}
	images := make([]float64, len(samples))
	parallel(len(samples), func(begin, end int) {
		var candidate, reference tfidf
		for i := begin; i < end; i++ {
			candidate.fill(samples[i].Candidate, df)
			sum := 0.0
			for _, r := range samples[i].References {
				reference.fill(r, df)
				sum += candidate.ciderD(&reference)
			}
			images[i] = 10 * sum / float64(max(len(samples[i].References), 1))
		}
	})
	return meanScores("cider", images)
}

// tfidf is a caption as vectors of weighted n-grams, one for each n: weights[n]
// goes with counts[n] of the profile.
type tfidf struct {
	profile
	weights [maxOrder][]float64
	norms   [maxOrder]float64
}

// fill makes the vectors those of the caption. The term frequency is the raw
// count.
func (v *tfidf) fill(tokens []string, df *DocumentFrequencies) {
	v.profile.fill(tokens)
	for n, counts := range v.counts {
		v.weights[n] = v.weights[n][:0]
		sum := 0.0
		for _, g := range counts {
			w := float64(g.count) * df.inverse(g.gram)
			v.weights[n] = append(v.weights[n], w)
			sum += w * w
		}
		v.norms[n] = math.Sqrt(sum)
	}
}

// bigrams is what the official code takes for the length of a caption.
func (v *tfidf) bigrams() int { return max(v.length-1, 0) }

// ciderD returns the similarity of a candidate to a reference, from 0 to 1.
func (v *tfidf) ciderD(reference *tfidf) float64 {
	const sigma = 6
	sum := 0.0
	for n := range maxOrder {
		norms := v.norms[n] * reference.norms[n]
		if norms == 0 {
			continue
		}
		sum += v.dot(reference, n, func(w, r float64) float64 { return min(w, r) * r }) / norms
	}
	delta := float64(v.bigrams() - reference.bigrams())
	return sum / maxOrder * math.Exp(-delta*delta/(2*sigma*sigma))
}

// cosine returns the mean over n of the cosine of the vectors: CIDEr as first
// defined, without the clipping and the penalty of CIDEr-D.
func (v *tfidf) cosine(other *tfidf) float64 {
	sum := 0.0
	for n := range maxOrder {
		if norms := v.norms[n] * other.norms[n]; norms != 0 {
			sum += v.dot(other, n, func(a, b float64) float64 { return a * b }) / norms
		}
	}
	return sum / maxOrder
}

// dot sums product over the n-grams that both have.
func (v *tfidf) dot(other *tfidf, n int, product func(a, b float64) float64) float64 {
	sum, j := 0.0, 0
	counts := other.counts[n]
	for i, g := range v.counts[n] {
		for j < len(counts) && counts[j].gram < g.gram {
			j++
		}
		if j < len(counts) && counts[j].gram == g.gram {
			sum += product(v.weights[n][i], other.weights[n][j])
		}
	}
	return sum
}
