package metrics

import (
	"fmt"
	"math"
)

// BLEUResult is BLEU-1 to BLEU-4 and what they were computed from.
type BLEUResult struct {
	Scores     [maxOrder]Scores // [n-1] is BLEU-n
	BLEUCounts                  // of all images
	Images     []BLEUCounts     // of each
}

// BLEUCounts are the sufficient statistics of BLEU, of an image or, added up, of many.
type BLEUCounts struct {
	Guesses         [maxOrder]int // [n-1] counts the n-grams of the candidates
	Correct         [maxOrder]int // those of them that a reference has, each as often as one reference has it
	CandidateLength int           // tokens of the candidates
	ReferenceLength int           // tokens of the references closest in length to their candidates
}

// BLEU computes BLEU-1 to BLEU-4 as coco-caption does (Papineni et al., 2002):
// over the corpus from the sums of the counts, with the reference length
// closest to the candidate's (of two, the shorter), and for each image from the
// image's own counts. A sample without references scores next to 0.
func BLEU(samples []Tokens) BLEUResult {
	r := BLEUResult{Images: make([]BLEUCounts, len(samples))}
	for n := range maxOrder {
		r.Scores[n] = Scores{Name: fmt.Sprintf("bleu%d", n+1), Images: make([]float64, len(samples))}
	}
	parallel(len(samples), func(begin, end int) {
		var counter bleuCounter
		for i := begin; i < end; i++ {
			r.Images[i] = counter.count(samples[i])
			for n, score := range r.Images[i].Scores() {
				r.Scores[n].Images[i] = score
			}
		}
	})
	for _, counts := range r.Images {
		r.Add(counts, 1)
	}
	for n, score := range r.BLEUCounts.Scores() {
		r.Scores[n].Corpus = score
	}
	return r
}

// bleuCounter counts one image after the other in the same memory.
type bleuCounter struct {
	candidate, reference profile
	most                 []int // the most often that a reference has each n-gram of the candidate
}

func (b *bleuCounter) count(s Tokens) BLEUCounts {
	b.candidate.fill(s.Candidate)
	c := BLEUCounts{CandidateLength: len(s.Candidate), ReferenceLength: closestLength(s)}
	total := 0
	for n, counts := range b.candidate.counts {
		c.Guesses[n] = max(0, len(s.Candidate)-n)
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
			c.Correct[n] += min(g.count, most[i])
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

// Add adds the counts of an image that occurs some times in the corpus.
func (c *BLEUCounts) Add(image BLEUCounts, times int) {
	for n := range maxOrder {
		c.Guesses[n] += times * image.Guesses[n]
		c.Correct[n] += times * image.Correct[n]
	}
	c.CandidateLength += times * image.CandidateLength
	c.ReferenceLength += times * image.ReferenceLength
}

// Scores computes BLEU-1 to BLEU-4. The two constants are coco-caption's, which
// keep it from dividing by zero.
func (c BLEUCounts) Scores() [maxOrder]float64 {
	const tiny, small = 1e-15, 1e-9
	brevity := 1.0
	if ratio := (float64(c.CandidateLength) + tiny) / (float64(c.ReferenceLength) + small); ratio < 1 {
		brevity = math.Exp(1 - 1/ratio)
	}
	var scores [maxOrder]float64
	product := 1.0
	for n := range maxOrder {
		product *= (float64(c.Correct[n]) + tiny) / (float64(c.Guesses[n]) + small)
		scores[n] = math.Pow(product, 1/float64(n+1)) * brevity
	}
	return scores
}
