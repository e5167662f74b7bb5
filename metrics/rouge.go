package metrics

// ROUGEL computes ROUGE-L as coco-caption does (Lin, 2004): from the longest
// common subsequence of the candidate with each reference, the greatest
// precision and the greatest recall, each over all references on its own, and
// from these the F measure with β = 1.2. The corpus score is the mean. A sample
// without references scores 0.
//
// An empty caption counts as one empty token, since the official code splits
// at single spaces; so it equals another empty caption.
func ROUGEL(samples []Tokens) Scores {
	images := make([]float64, len(samples))
	parallel(len(samples), func(begin, end int) {
		var r rouge
		for i := begin; i < end; i++ {
			images[i] = r.score(samples[i])
		}
	})
	return meanScores("rouge_l", images)
}

// rouge is scratch memory.
type rouge struct {
	candidate, reference []gram
	row                  []int
}

func (r *rouge) score(s Tokens) float64 {
	const beta = 1.2
	r.candidate = appendRouge(r.candidate[:0], s.Candidate)
	precision, recall := 0.0, 0.0
	for _, reference := range s.References {
		r.reference = appendRouge(r.reference[:0], reference)
		common := float64(r.commonSubsequence())
		precision = max(precision, common/float64(len(r.candidate)))
		recall = max(recall, common/float64(len(r.reference)))
	}
	if precision == 0 || recall == 0 {
		return 0
	}
	return (1 + beta*beta) * precision * recall / (recall + beta*beta*precision)
}

// appendRouge appends the tokens as grams, of which there is always one.
func appendRouge(words []gram, tokens []string) []gram {
	if len(tokens) == 0 {
		tokens = []string{""}
	}
	return appendWords(words, tokens)
}

// commonSubsequence returns the length of the longest common subsequence.
func (r *rouge) commonSubsequence() int {
	if cap(r.row) <= len(r.reference) {
		r.row = make([]int, 2*len(r.reference)+1)
	}
	row := r.row[:len(r.reference)+1] // row[j]: of the candidate so far and the first j words
	clear(row)
	for _, w := range r.candidate {
		diagonal := 0
		for j, v := range r.reference {
			above := row[j+1]
			if w == v {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(r.reference)]
}
