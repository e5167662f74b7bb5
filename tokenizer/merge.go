package tokenizer

import "math"

// merge is what a pair of neighbouring symbols becomes, and how early: its rank
// in the upper half, the id of the new symbol in the lower. Smaller is earlier.
type merge uint64

const (
	noMerge merge = math.MaxUint64
	stale   merge = math.MaxUint64 - 1 // a pair whose merge is to be looked up again
)

func newMerge(rank, id int) merge      { return merge(rank)<<32 | merge(id) }
func (m merge) id() int32              { return int32(uint32(m)) }
func pairKey(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }

// mergeOf returns the merge of two neighbours, or noMerge.
func (t *BPE) mergeOf(left, right int32) merge {
	if m, ok := t.merges[pairKey(left, right)]; ok {
		return m
	}
	return noMerge
}

// merger holds the buffers that encoding one text needs, piece after piece.
//
// The rule is that of OpenAI's encoder.py: take the earliest merge that any two
// neighbours have, apply it everywhere from left to right, look again. Short
// pieces do that literally; long ones, where it would be quadratic, with a heap.
type merger struct {
	symbols []int32
	merges  []merge // merges[i] is the merge of symbols i and i+1
}

// longPiece is the number of bytes from which the heap is the faster way.
const longPiece = 64

// piece appends the ids of one piece, which is not empty.
func (m *merger) piece(t *BPE, ids []int, piece string) []int {
	m.symbols = m.symbols[:0]
	for i := range len(piece) {
		m.symbols = append(m.symbols, t.bytes[piece[i]])
	}
	if t.style == CLIP {
		last := len(piece) - 1
		m.symbols[last] = t.ends[piece[last]]
	}
	if len(m.symbols) < longPiece {
		m.short(t)
	} else {
		m.long(t)
	}
	for _, s := range m.symbols {
		ids = append(ids, int(s))
	}
	return ids
}

// short merges m.symbols in place.
func (m *merger) short(t *BPE) {
	s, merges := m.symbols, m.merges[:0]
	for i := range s[1:] {
		merges = append(merges, t.mergeOf(s[i], s[i+1]))
	}
	merges = append(merges, noMerge) // the last symbol has no right neighbour
	for {
		best := noMerge
		for _, x := range merges {
			best = min(best, x)
		}
		if best == noMerge {
			break
		}
		n := 0
		for i := 0; i < len(s); i++ {
			s[n], merges[n] = s[i], merges[i]
			if merges[i] == best {
				i++
				s[n], merges[n] = best.id(), stale
				if n > 0 {
					merges[n-1] = stale
				}
			}
			n++
		}
		s, merges = s[:n], merges[:n]
		for i := range merges[:n-1] {
			if merges[i] == stale {
				merges[i] = t.mergeOf(s[i], s[i+1])
			}
		}
		merges[n-1] = noMerge
	}
	m.symbols, m.merges = s, merges
}
