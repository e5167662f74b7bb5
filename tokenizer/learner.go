package tokenizer

import (
	"fmt"
	"math"
	"slices"
)

// learner holds the different pieces of a corpus as one row of symbols, and for
// each pair of neighbours its count and its places, so that a merge costs only
// as much as the places it touches.
type learner struct {
	tokens []string
	known  map[string]bool // the tokens
	merges [][2]string

	symbols    []int32
	prev, next []int32 // neighbours in the piece, -1 at its ends
	word       []int32 // the piece that a symbol is part of
	counts     []int64 // how often each piece occurs

	pairs map[uint64]*pair
	queue heap[candidate]
}

// pair is what the learner knows of two neighbouring symbols.
type pair struct {
	count  int64
	places []int32 // of the left symbol, ascending; some may be out of date
}

// candidate is a pair in the queue with the count that it had at the time.
type candidate struct {
	count int64
	key   uint64
}

func (c candidate) before(d candidate) bool {
	return c.count > d.count || c.count == d.count && c.key < d.key
}

// newLearner lays out the pieces; with ends, the last byte of each is the one that
// ends a word.
func newLearner(base []string, counts map[string]int64, ends bool) (*learner, error) {
	l := &learner{tokens: base, known: make(map[string]bool), pairs: make(map[uint64]*pair)}
	for _, token := range base {
		l.known[token] = true
	}
	var first [256]int32
	for id, b := range byteOrder() {
		first[b] = int32(id)
	}
	pieces := make([]string, 0, len(counts))
	total := 0
	for piece := range counts {
		pieces = append(pieces, piece)
		total += len(piece)
	}
	if total > math.MaxInt32 {
		return nil, fmt.Errorf("the different words of the corpus have %d bytes, over the limit of %d", total, math.MaxInt32)
	}
	slices.Sort(pieces) // only so that a run can be repeated step by step
	for _, piece := range pieces {
		l.addPiece(piece, counts[piece], &first, ends)
	}
	for key, p := range l.pairs {
		l.queue.push(candidate{p.count, key})
	}
	return l, nil
}

// addPiece appends one piece to the row and counts its pairs.
func (l *learner) addPiece(piece string, count int64, first *[256]int32, ends bool) {
	start := int32(len(l.symbols))
	last := start + int32(len(piece)) - 1
	for i := range len(piece) {
		at := start + int32(i)
		l.symbols = append(l.symbols, first[piece[i]])
		l.prev = append(l.prev, at-1)
		l.next = append(l.next, at+1)
		l.word = append(l.word, int32(len(l.counts)))
	}
	l.prev[start], l.next[last] = -1, -1
	if ends {
		l.symbols[last] += 256
	}
	l.counts = append(l.counts, count)
	for at := start; at < last; at++ {
		l.add(l.symbols[at], l.symbols[at+1], at)
	}
}

// add counts the pair at a place once more.
func (l *learner) add(left, right, at int32) {
	key := pairKey(left, right)
	p := l.pairs[key]
	if p == nil {
		p = new(pair)
		l.pairs[key] = p
	}
	p.count += l.counts[l.word[at]]
	p.places = append(p.places, at)
}

// drop counts the pair at a place once less; the place stays listed.
func (l *learner) drop(left, right, at int32) {
	if p := l.pairs[pairKey(left, right)]; p != nil {
		p.count -= l.counts[l.word[at]]
	}
}

// step makes the next merge; false where no pair is worth one.
func (l *learner) step() bool {
	for len(l.queue) > 0 {
		c := l.queue.pop()
		p := l.pairs[c.key]
		if p.count != c.count {
			c.count = p.count // dropped since; it may still be the best
			if c.count > 1 {
				l.queue.push(c)
			}
			continue
		}
		if c.count < 2 {
			return false
		}
		left, right := int32(c.key>>32), int32(uint32(c.key))
		token := l.tokens[left] + l.tokens[right]
		if l.known[token] {
			// Spelled by another merge already: one token per spelling, and one
			// merge per token, keep the ids what the layouts say.
			continue
		}
		l.known[token] = true
		l.merges = append(l.merges, [2]string{l.tokens[left], l.tokens[right]})
		l.tokens = append(l.tokens, token)
		l.merge(left, right, p.places)
		delete(l.pairs, c.key)
		return true
	}
	return false
}

// merge replaces a pair by the newest token at all its places.
func (l *learner) merge(left, right int32, places []int32) {
	token := int32(len(l.tokens) - 1)
	var grown []uint64
	for _, at := range places {
		gone := l.next[at]
		if l.symbols[at] != left || gone < 0 || l.symbols[gone] != right {
			continue
		}
		before, after := l.prev[at], l.next[gone]
		if before >= 0 {
			l.drop(l.symbols[before], left, before)
			l.add(l.symbols[before], token, before)
			grown = append(grown, pairKey(l.symbols[before], token))
		}
		if after >= 0 {
			l.drop(right, l.symbols[after], gone)
			l.add(token, l.symbols[after], at)
			grown = append(grown, pairKey(token, l.symbols[after]))
			l.prev[after] = at
		}
		l.symbols[at], l.symbols[gone] = token, -1
		l.next[at], l.next[gone] = after, -1
	}
	slices.Sort(grown)
	for _, key := range slices.Compact(grown) {
		l.queue.push(candidate{l.pairs[key].count, key})
	}
}
