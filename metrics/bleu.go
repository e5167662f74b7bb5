package metrics

import (
	"fmt"
	"math"
)

// BLEUResult is BLEU-1 to BLEU-4 and what they were computed from.
type BLEUResult struct {
	Scores          [maxOrder]Scores // [n-1] is BLEU-n
	Guesses         [maxOrder]int    // [n-1] counts the n-grams of the candidates
	Correct         [maxOrder]int    // those of them that a reference has, each as often as one reference has it
	CandidateLength int              // tokens of the candidates
	ReferenceLength int              // tokens of the references closest in length to their candidates

	images []bleuCounts
}

// bleuCounts are the sufficient statistics of BLEU, of one image or of many.
type bleuCounts struct {
	guesses, correct     [maxOrder]int
	candidate, reference int // lengths in tokens
}

// BLEU computes BLEU-1 to BLEU-4 as coco-caption does (Papineni et al., 2002):
// over the corpus from the sums of the counts, with the reference length
// closest to the candidate's (of two, the shorter), and for each image from the
// image's own counts. A sample without references scores next to 0.
func BLEU(samples []Tokens) BLEUResult {
	r := BLEUResult{images: make([]bleuCounts, len(samples))}
	for n := range maxOrder {
		r.Scores[n] = Scores{Name: fmt.Sprintf("bleu%d", n+1), Images: make([]float64, len(samples))}
	}
	parallel(len(samples), func(begin, end int) {
		var counter bleuCounter
		for i := begin; i < end; i++ {
			r.images[i] = counter.count(samples[i])
			for n, score := range r.images[i].scores() {
				r.Scores[n].Images[i] = score
			}
		}
	})
	var sum bleuCounts
	for i := range r.images {
		sum.add(&r.images[i])
	}
	for n, score := range sum.scores() {
		r.Scores[n].Corpus = score
	}
	r.Guesses, r.Correct = sum.guesses, sum.correct
	r.CandidateLength, r.ReferenceLength = sum.candidate, sum.reference
	return r
}

// Aggregate returns BLEU-1 to BLEU-4 of the corpus that the images at the
// indices make, which may repeat: a bootstrap sample.
func (r BLEUResult) Aggregate(indices []int) [maxOrder]float64 {
	var sum bleuCounts
	for _, i := range indices {
		sum.add(&r.images[i])
	}
	return sum.scores()
}

// bleuCounter counts one image after the other in the same memory.
type bleuCounter struct {
	candidate, reference profile
	most                 []int // the most often that a reference has each n-gram of the candidate
}

func (b *bleuCounter) count(s Tokens) bleuCounts {
	b.candidate.fill(s.Candidate)
	c := bleuCounts{candidate: len(s.Candidate), reference: closestLength(s)}
	total := 0
	for n, counts := range b.candidate.counts {
		c.guesses[n] = max(0, len(s.Candidate)-n)
		total += len(counts)
	}
	if cap(b.most) < total {
		b.most = make([]int, total)
	}
	b.most = b.most[:total]
	clear(b.most)
	for _, reference := range s.References {
		b.reference.fill(reference)
		most := b.most
		for n, counts := range b.candidate.counts {
			raise(most, counts, b.reference.counts[n])
			most = most[len(counts):]
		}
	}
	most := b.most
	for n, counts := range b.candidate.counts {
		for i, g := range counts {
			c.correct[n] += min(g.count, most[i])
		}
		most = most[len(counts):]
	}
	return c
}

// raise lifts most[i] to how often the reference has candidate[i].
func raise(most []int, candidate, reference []gramCount) {
	j := 0
	for i, g := range candidate {
		for j < len(reference) && reference[j].gram < g.gram {
			j++
		}
		if j < len(reference) && reference[j].gram == g.gram {
			most[i] = max(most[i], reference[j].count)
		}
	}
}

// closestLength returns the length of the reference that is closest to the
// candidate's, the shorter of two; without references, 0.
func closestLength(s Tokens) int {
	closest, distance := 0, math.MaxInt
	for _, reference := range s.References {
		d := max(len(reference)-len(s.Candidate), len(s.Candidate)-len(reference))
		if d < distance || d == distance && len(reference) < closest {
			closest, distance = len(reference), d
		}
	}
	return closest
}

func (c *bleuCounts) add(other *bleuCounts) {
	for n := range maxOrder {
		c.guesses[n] += other.guesses[n]
		c.correct[n] += other.correct[n]
	}
	c.candidate += other.candidate
	c.reference += other.reference
}

// scores computes BLEU from counts. The two constants are coco-caption's, which
// keep it from dividing by zero.
func (c *bleuCounts) scores() [maxOrder]float64 {
	const tiny, small = 1e-15, 1e-9
	brevity := 1.0
	if ratio := (float64(c.candidate) + tiny) / (float64(c.reference) + small); ratio < 1 {
		brevity = math.Exp(1 - 1/ratio)
	}
	var scores [maxOrder]float64
	product := 1.0
	for n := range maxOrder {
		product *= (float64(c.correct[n]) + tiny) / (float64(c.guesses[n]) + small)
		scores[n] = math.Pow(product, 1/float64(n+1)) * brevity
	}
	return scores
}
