package decode

import "slices"

// candidate is a text that may become a beam: a parent with one token more, or a
// parent that has ended, as it is.
type candidate struct {
	parent  int
	token   int
	logProb float64 // of the token
	score   float64 // of the text
}

// beam returns the best continuations of a sequence's texts, best first: those of
// the greatest log-probability per token, as many as there are beams. With n tokens
// of total log-probability S, a text has the continuations, by ClipCap's rule,
//
//	score = (S + log p) / (n + 1)   with each token, while it goes on
//	score = S / n                   as it is, once it has ended
//
// Equal scores go to the earlier beam, then to the lower token. The first step, from
// one empty text, is no exception, and greedy search is the case of one beam.
//
// ClipCap's code appends a filler to texts that ended, which it cuts off at the end,
// and recovers S as score·n. Here such texts stay as they are and S is kept.
func (s *search) beam(texts []text, logits [][]float32) []text {
	beams := 1
	if s.options.Strategy == Beam {
		beams = s.options.Beams
	}
	candidates := s.candidates(texts, logits, beams)
	slices.SortStableFunc(candidates, func(a, b candidate) int { return descending(a.score, b.score) })
	kept := make([]text, 0, beams)
	for _, c := range candidates[:min(beams, len(candidates))] {
		t := texts[c.parent]
		if t.row != ended {
			t = s.options.extend(t, c.token, c.logProb)
		}
		kept = append(kept, t)
	}
	return kept
}

// candidates lists the continuations that can be among the best: for each text, as
// many of the most probable tokens as there are beams.
func (s *search) candidates(texts []text, logits [][]float32, beams int) []candidate {
	var list []candidate
	for i := range texts {
		t := &texts[i]
		if t.row != ended {
			s.banned = s.options.ban(s.banned[:0], t.tokens)
			s.choices = top(s.choices, logits[t.row], beams, s.banned)
			for _, c := range s.choices {
				logProb := float64(c.logit) - s.normalizers[t.row]
				list = append(list, candidate{i, c.token, logProb, average(t.logProb+logProb, len(t.tokens)+1)})
			}
			if len(s.choices) > 0 {
				continue
			}
			t.row = ended // no token is allowed
		}
		list = append(list, candidate{parent: i, score: t.score()})
	}
	return list
}
