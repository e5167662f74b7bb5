package meteor

import "math"

// Statistics is METEOR's 23 sufficient statistics of a segment or of a sum of
// segments, in the order in which the official jar prints them: the lengths of
// candidate and reference; their numbers of function words; for each of the
// matchers exact, stem, synonym and paraphrase the content words matched in
// the candidate and in the reference, then the function words likewise; the
// chunks; all words matched in the candidate and in the reference.
type Statistics [23]int

// Where statistics stand. Of a pair, the second is the reference's.
const (
	atLengths       = 0
	atFunctionWords = 2
	atMatches       = 4 // four for each matcher
	atChunks        = 20
	atMatchedWords  = 21
)

// The parameters of METEOR 1.5 for English and its ranking task.
const (
	alpha = 0.85 // weight of recall against precision
	beta  = 0.20 // exponent of the fragmentation
	gamma = 0.60 // the largest penalty for fragmentation
	delta = 0.75 // weight of content words against function words
)

// weights returns what a match by each matcher counts in the score.
func weights() [4]float64 { return [4]float64{1.0, 0.6, 0.8, 0.6} }

// Score returns METEOR's score, between 0 and 1: the weighted harmonic mean of
// precision and recall, less a penalty for matches in many chunks. Nothing
// matched scores 0.
func (s Statistics) Score() float64 {
	if s[atMatchedWords] == 0 {
		return 0
	}
	mean := 1 / ((1-alpha)/s.matchedShare(0) + alpha/s.matchedShare(1))
	fragmentation := 0.0
	if !s.isPerfect() {
		fragmentation = float64(s[atChunks]) / (float64(s[atMatchedWords]+s[atMatchedWords+1]) / 2)
	}
	return mean * (1 - gamma*math.Pow(fragmentation, beta))
}

// matchedShare returns the weighted share of the words of the candidate (side
// 0: precision) or of the reference (side 1: recall) that are matched.
func (s Statistics) matchedShare(side int) float64 {
	matched := 0.0
	for matcher, weight := range weights() {
		at := atMatches + 4*matcher + side
		matched += weight * (delta*float64(s[at]) + (1-delta)*float64(s[at+2]))
	}
	function := s[atFunctionWords+side]
	content := s[atLengths+side] - function
	return matched / (delta*float64(content) + (1-delta)*float64(function))
}

// isPerfect tells that both texts are matched whole and in one chunk, which
// METEOR does not call fragmented.
func (s Statistics) isPerfect() bool {
	return s[atChunks] == 1 &&
		s[atMatchedWords] == s[atLengths] && s[atMatchedWords+1] == s[atLengths+1]
}

// Add adds the statistics of a segment that occurs some times to a sum, in which
// the chunk of a perfect segment does not count.
func (s *Statistics) Add(segment Statistics, times int) {
	if segment.isPerfect() {
		segment[atChunks] = 0
	}
	for i, v := range segment {
		s[i] += times * v
	}
}

// countLengths counts the words of a side.
func (s *Statistics) countLengths(side int, words []*word) {
	s[atLengths+side] = len(words)
	for _, w := range words {
		if w.isFunction {
			s[atFunctionWords+side]++
		}
	}
}

// countMatched counts words of a side that a matcher matched.
func (s *Statistics) countMatched(matcher, side int, words []*word) {
	at := atMatches + 4*matcher + side
	for _, w := range words {
		if w.isFunction {
			s[at+2]++
		} else {
			s[at]++
		}
	}
	s[atMatchedWords+side] += len(words)
}
