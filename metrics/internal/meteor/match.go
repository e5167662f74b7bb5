package meteor

import "github.com/cutline-go/cutline/internal/wordnet"

// The matchers, in the order in which they run and are counted.
const (
	exact = iota
	stem
	synonym
	paraphrase
)

// match says that words of the candidate may be aligned with words of the
// reference. Only paraphrases match several.
type match struct {
	matcher                          int
	candidate, reference             int // the first word of each
	candidateLength, referenceLength int // in words
}

func (m *match) candidateEnd() int { return m.candidate + m.candidateLength }
func (m *match) referenceEnd() int { return m.reference + m.referenceLength }

// weight returns what a match counts in the search, over both sides. METEOR
// weights matches that are not exact with 0.5, but adds them up in integers:
// a single word so matched counts nothing.
func (m *match) weight() int {
	if m.matcher == exact {
		return m.candidateLength + m.referenceLength
	}
	return m.candidateLength/2 + m.referenceLength/2
}

// distance returns how far apart the two sides stand in their texts.
func (m *match) distance() int {
	return max(m.reference-m.candidate, m.candidate-m.reference)
}

// lattice is all matches between a candidate and a reference.
type lattice struct {
	matches   [][]match // by the word of the reference that they start at
	candidate []int     // how many matches cover each word
	reference []int
}

// newLattice finds the matches. For each word of the reference they are
// ordered by matcher, then by the words of the candidate: the search prefers
// the first of equals.
func newLattice(candidate, reference []*word, paraphrases *Paraphrases) *lattice {
	l := &lattice{
		matches:   make([][]match, len(reference)),
		candidate: make([]int, len(candidate)),
		reference: make([]int, len(reference)),
	}
	for matcher, isMatch := range []func(c, r *word) bool{
		exact:   func(c, r *word) bool { return c == r },
		stem:    func(c, r *word) bool { return c != r && c.stem == r.stem },
		synonym: func(c, r *word) bool { return c != r && wordnet.Share(c.senses, r.senses) },
	} {
		for j, r := range reference {
			for i, c := range candidate {
				if isMatch(c, r) {
					l.add(match{matcher, i, j, 1, 1})
				}
			}
		}
	}
	if paraphrases != nil {
		paraphrases.match(candidate, reference, l.add)
	}
	return l
}

func (l *lattice) add(m match) {
	l.matches[m.reference] = append(l.matches[m.reference], m)
	for at := m.candidate; at < m.candidateEnd(); at++ {
		l.candidate[at]++
	}
	for at := m.reference; at < m.referenceEnd(); at++ {
		l.reference[at]++
	}
}

// certain returns the matches that no other competes with for any word, by the
// word of the reference that they start at; nil where there is none.
func (l *lattice) certain() []*match {
	certain := make([]*match, len(l.matches))
	for at, matches := range l.matches {
		if len(matches) == 1 && l.isAlone(&matches[0]) {
			certain[at] = &matches[0]
		}
	}
	return certain
}

func (l *lattice) isAlone(m *match) bool {
	for _, n := range l.candidate[m.candidate:m.candidateEnd()] {
		if n != 1 {
			return false
		}
	}
	for _, n := range l.reference[m.reference:m.referenceEnd()] {
		if n != 1 {
			return false
		}
	}
	return true
}
