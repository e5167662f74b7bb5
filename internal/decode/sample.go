package decode

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
)

// samples returns the empty texts of a sequence, one per draw. Each has a generator
// of its own, keyed by the seed, the sequence's number and its own, so that neither
// the rest of the batch nor the number of draws changes what becomes of it.
func (o Options) samples(sequence int) []text {
	texts := make([]text, o.NBest)
	for i := range texts {
		var key [32]byte
		binary.LittleEndian.PutUint64(key[0:], o.Seed+uint64(sequence))
		binary.LittleEndian.PutUint64(key[8:], uint64(i))
		texts[i] = text{row: sequence, random: rand.New(rand.NewChaCha8(key))}
	}
	return texts
}

// sample draws the next token of each text that goes on.
func (s *search) sample(texts []text, logits [][]float32) {
	for i, t := range texts {
		if t.row == ended {
			continue
		}
		row := logits[t.row]
		s.banned = s.options.ban(s.banned[:0], t.tokens)
		s.pool(row)
		if len(s.choices) == 0 {
			texts[i].row = ended // no token is allowed
			continue
		}
		token := s.draw(t.random.Float64())
		texts[i] = s.options.extend(t, token, float64(row[token])-s.normalizers[t.row])
	}
}

// pool sets the choices to the tokens to draw from. Of the allowed tokens these are
// the TopK most probable, and of those the fewest, most probable first, that hold
// TopP of their probability (the nucleus of Holtzman et al. 2020).
func (s *search) pool(row []float32) {
	o := s.options
	if o.TopK > 0 {
		s.choices = top(s.choices, row, o.TopK, s.banned)
		s.choices = s.choices[:s.reach(o.TopP*s.weigh())]
		return
	}
	s.choices = allowed(s.choices, row, s.banned)
	if o.TopP == 1 {
		return
	}
	share, all := o.TopP*s.weigh(), len(s.choices)
	// A nucleus is small as a rule, and sorting a vocabulary is not cheap.
	for n := 64; ; n *= 8 {
		s.choices = top(s.choices, row, n, s.banned)
		s.weigh()
		if size := s.reach(share); size < len(s.choices) || len(s.choices) == all {
			s.choices = s.choices[:size]
			return
		}
	}
}

// weigh computes the choices' probabilities at the options' temperature, up to a
// common factor that only the largest logit determines, and returns their sum.
func (s *search) weigh() float64 {
	largest := math.Inf(-1)
	for _, c := range s.choices {
		largest = max(largest, float64(c.logit))
	}
	sum := 0.0
	s.weights = s.weights[:0]
	for _, c := range s.choices {
		weight := exp((float64(c.logit) - largest) / s.options.Temperature)
		s.weights = append(s.weights, weight)
		sum += weight
	}
	return sum
}

// reach returns how many of the choices' weights it takes to sum to share, or their
// number where they do not.
func (s *search) reach(share float64) int {
	sum := 0.0
	for i, weight := range s.weights {
		if sum += weight; sum >= share {
			return i + 1
		}
	}
	return len(s.weights)
}

// draw returns the choice at share u, in [0, 1), of the choices' probability.
func (s *search) draw(u float64) int {
	left, last := u*s.weigh(), 0
	for i, weight := range s.weights {
		if weight == 0 {
			continue
		}
		// Where rounding leaves a trace of u, it belongs to the last choice.
		last = i
		if left -= weight; left < 0 {
			break
		}
	}
	return s.choices[last].token
}
