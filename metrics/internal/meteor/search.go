package meteor

import (
	"cmp"
	"slices"
)

// beamWidth is how many partial alignments survive each word.
const beamWidth = 40

// path is a partial alignment: of the first words of the reference.
type path struct {
	weight   int // of the matches taken
	chunks   int // that have ended
	distance int // of the matches; see expand
	next     int // the word of the reference after the last match or gap
	end      int // the word of the candidate after the last match; -1 after a gap

	taken   *choice
	pending *match // taken, but not yet in taken and used: see settle
	used    usage  // paths share it
}

// choice is the matches taken, the latest first. Paths share their beginnings.
type choice struct {
	match  *match
	before *choice
}

// usage tells for each word whether a match has it.
type usage struct{ candidate, reference []bool }

// with returns the usage with the words of a match.
func (u usage) with(m *match) usage {
	u = usage{slices.Clone(u.candidate), slices.Clone(u.reference)}
	u.mark(m)
	return u
}

func (u usage) mark(m *match) {
	for at := m.candidate; at < m.candidateEnd(); at++ {
		u.candidate[at] = true
	}
	for at := m.reference; at < m.referenceEnd(); at++ {
		u.reference[at] = true
	}
}

func (u usage) overlaps(m *match) bool {
	return slices.Contains(u.candidate[m.candidate:m.candidateEnd()], true) ||
		slices.Contains(u.reference[m.reference:m.referenceEnd()], true)
}

// compare orders paths: more words matched, then fewer chunks, then a smaller
// distance.
func compare(p, q *path) int {
	return cmp.Or(q.weight-p.weight, p.chunks-q.chunks, p.distance-q.distance)
}

// after returns the path with a match added.
func (p path) after(m *match) path {
	p.weight += m.weight()
	if p.end != -1 && p.end != m.candidate {
		p.chunks++
	}
	p.next, p.end = m.referenceEnd(), m.candidateEnd()
	return p
}

// closed returns the path with its open chunk ended.
func (p path) closed() path {
	if p.end != -1 {
		p.chunks++
		p.end = -1
	}
	return p
}

// beam is the best paths, the best first; of equals, those added first.
type beam []path

func (b *beam) add(p path) {
	at := len(*b)
	for at > 0 && compare(&(*b)[at-1], &p) > 0 {
		at--
	}
	if at < beamWidth {
		*b = slices.Insert(*b, at, p)
		*b = (*b)[:min(len(*b), beamWidth)]
	}
}

// expand adds what may follow a path at a word of the reference: each match
// there whose words are free, and a gap. METEOR adds the distance of a match
// not to the path that takes it but to those made after it. Scores depend on
// it, so do we.
func (b *beam) expand(p path, at int, matches []match) {
	for i := range matches {
		m := &matches[i]
		if p.used.overlaps(m) {
			continue
		}
		following := p.after(m)
		following.pending = m
		b.add(following)
		p.distance += m.distance()
	}
	p = p.closed()
	p.next = at + 1
	b.add(p)
}

// settle enters pending matches in the paths that are left: most do not live
// so long, which makes the search cheap.
func (b beam) settle() {
	for i := range b {
		if m := b[i].pending; m != nil {
			b[i].taken = &choice{m, b[i].taken}
			b[i].used = b[i].used.with(m)
			b[i].pending = nil
		}
	}
}

// search returns the best alignment that a beam search through the reference,
// from left to right, finds: its matches by the word that they start at.
func (l *lattice) search() []*match {
	alignment := l.certain()
	start := path{end: -1, used: usage{make([]bool, len(l.candidate)), make([]bool, len(l.reference))}}
	for _, m := range alignment {
		if m != nil {
			start.used.mark(m)
		}
	}
	paths, following := make(beam, 0, beamWidth+1), make(beam, 0, beamWidth+1)
	paths.add(start)
	for at, matches := range l.matches {
		following = following[:0]
		for _, p := range paths {
			switch {
			case at < p.next: // within a match
				following.add(p)
			case alignment[at] != nil:
				p = p.after(alignment[at])
				p.distance += alignment[at].distance()
				following.add(p)
			default:
				following.expand(p, at, matches)
			}
		}
		following.settle()
		paths, following = following, paths
	}
	best := following[:0]
	for _, p := range paths {
		best.add(p.closed())
	}
	for choice := best[0].taken; choice != nil; choice = choice.before {
		alignment[choice.match.reference] = choice.match
	}
	return alignment
}
