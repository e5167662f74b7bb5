// Package meteor computes METEOR 1.5 for English (Denkowski and Lavie, 2014)
// as the official jar does with -l en -norm. The words of a candidate and of a
// reference are normalised, all their possible matches laid out in a lattice,
// the best alignment searched in it, and what is aligned counted: the score is
// a function of these counts, for a segment and for a corpus alike.
package meteor

import "slices"

// longest is how many words of a text are aligned. It bounds the work on
// hostile input, which grows with the square: the words after it count as not
// matched. Captions have about a hundredth.
const longest = 1000

// Aligner aligns candidates with references. It remembers the words it met,
// and is not safe for concurrent use.
type Aligner struct {
	lexicon     *lexicon
	paraphrases *Paraphrases // nil if they take no part
}

// NewAligner returns an aligner by exact, stem and synonym matches, and by
// paraphrases if they are not nil.
func NewAligner(paraphrases *Paraphrases) *Aligner {
	return &Aligner{lexicon: newLexicon(), paraphrases: paraphrases}
}

// Best returns the statistics of the candidate and the best-scoring of the
// references, the first of those that score alike. Words are in lower case.
// Without references, all statistics are 0.
func (a *Aligner) Best(candidate []string, references [][]string) Statistics {
	words := a.words(candidate)
	var best Statistics
	for i, reference := range references {
		s := a.align(words, a.words(reference))
		if i == 0 || s.Score() > best.Score() {
			best = s
		}
	}
	return best
}

// words returns the words of a text after METEOR's normaliser.
func (a *Aligner) words(tokens []string) []*word {
	normalized := normalize(tokens)
	words := make([]*word, len(normalized))
	for i, text := range normalized {
		words[i] = a.lexicon.lookUp(text)
	}
	return words
}

// align returns the statistics of a candidate and a reference.
func (a *Aligner) align(candidate, reference []*word) Statistics {
	var s Statistics
	s.countLengths(0, candidate)
	s.countLengths(1, reference)
	if slices.Equal(candidate, reference) {
		// METEOR takes only exact matches here, of which the search gives each
		// word its own.
		s.countMatched(exact, 0, candidate)
		s.countMatched(exact, 1, reference)
		s[atChunks] = min(1, len(candidate))
		return s
	}
	candidate = candidate[:min(len(candidate), longest)]
	reference = reference[:min(len(reference), longest)]
	alignment := newLattice(candidate, reference, a.paraphrases).search()
	for _, m := range alignment {
		if m != nil {
			s.countMatched(m.matcher, 0, candidate[m.candidate:m.candidateEnd()])
			s.countMatched(m.matcher, 1, reference[m.reference:m.referenceEnd()])
		}
	}
	s[atChunks] = countChunks(alignment)
	return s
}

// countChunks counts the runs of matches that are adjacent on both sides.
func countChunks(alignment []*match) int {
	chunks := 0
	var last *match
	for _, m := range alignment {
		if m == nil {
			continue
		}
		if last == nil || m.reference != last.referenceEnd() || m.candidate != last.candidateEnd() {
			chunks++
		}
		last = m
	}
	return chunks
}
