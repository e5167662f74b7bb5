package decode

import (
	"math"
	"slices"
	"testing"
)

// paperBeam transcribes ClipCap's beam search word for word: one sequence, no cache,
// fillers, every score of beams × vocabulary.
func paperBeam(logProbs func(tokens []int) []float64, beams, maxLength, stop int) []Hypothesis {
	var tokens [][]int
	var scores []float64
	lengths, stopped := make([]int, beams), make([]bool, beams)
	for i := range lengths {
		lengths[i] = 1
	}
	for range maxLength {
		if tokens == nil {
			first := logProbs(nil)
			for _, token := range topOf(first, beams) {
				tokens, scores = append(tokens, []int{token}), append(scores, first[token])
			}
		} else {
			var sums, averages []float64
			for i := range tokens {
				next := logProbs(tokens[i])
				if stopped[i] {
					for j := range next {
						next[j] = math.Inf(-1)
					}
					next[0] = 0
				} else {
					lengths[i]++
				}
				for _, logProb := range next {
					sums = append(sums, scores[i]+logProb)
					averages = append(averages, (scores[i]+logProb)/float64(lengths[i]))
				}
			}
			vocabulary := len(sums) / len(tokens)
			best := topOf(averages, beams)
			oldTokens, oldLengths, oldStopped := tokens, lengths, stopped
			tokens, lengths, stopped = make([][]int, beams), make([]int, beams), make([]bool, beams)
			for i, at := range best {
				source := at / vocabulary
				tokens[i] = append(slices.Clone(oldTokens[source]), at%vocabulary)
				lengths[i], stopped[i] = oldLengths[source], oldStopped[source]
				scores[i] = averages[at] * float64(lengths[i])
			}
		}
		for i := range tokens {
			stopped[i] = stopped[i] || tokens[i][len(tokens[i])-1] == stop
		}
		if !slices.Contains(stopped, false) {
			break
		}
	}
	averages := make([]float64, beams)
	for i := range averages {
		averages[i] = scores[i] / float64(lengths[i])
	}
	var found []Hypothesis
	for _, i := range topOf(averages, beams) {
		found = append(found, Hypothesis{tokens[i][:lengths[i]], scores[i], averages[i], stopped[i]})
	}
	return found
}

// topOf returns the indices of the n largest values, largest first.
func topOf(values []float64, n int) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return descending(values[a], values[b]) })
	return order[:n]
}

func TestBeamIsThePapers(t *testing.T) {
	finished, cut := 0, 0
	for seed := range uint64(200) {
		vocabulary, beams, maxLength := 6+int(seed%20), 1+int(seed%6), 1+int(seed%13)
		m := newTable(t, seed, 1, vocabulary)
		o := PaperBeam()
		o.Beams, o.NBest, o.MaxLength, o.StopTokens = beams, beams, maxLength, []int{int(seed % 5)}
		got := mustSearch(t, m, o)[0]
		want := paperBeam(func(tokens []int) []float64 { return m.logProbs(0, tokens) }, beams, maxLength, o.StopTokens[0])
		if !same(got, want) {
			t.Fatalf("seed %d:\n got %v\nwant %v", seed, got, want)
		}
		for _, h := range got {
			if h.Finished && len(h.Tokens) < maxLength {
				finished++
			} else if !h.Finished {
				cut++
			}
		}
	}
	if finished == 0 || cut == 0 {
		t.Errorf("%d texts stopped early and %d were cut: the test saw one kind alone", finished, cut)
	}
}

func TestBeamOfOneIsGreedy(t *testing.T) {
	for seed := range uint64(50) {
		m := newTable(t, seed, 1, 30)
		o := strategies()["greedy"]
		greedy := mustSearch(t, m, o)
		var want []int
		for len(want) < o.MaxLength && (len(want) == 0 || !slices.Contains(o.StopTokens, want[len(want)-1])) {
			want = append(want, topOf(m.logProbs(0, want), 1)[0])
		}
		if got := greedy[0][0].Tokens; !slices.Equal(got, want) {
			t.Fatalf("seed %d: greedy %v, want %v", seed, got, want)
		}
		o.Strategy, o.Beams = Beam, 1
		if beam := mustSearch(t, m, o); !same(beam[0], greedy[0]) {
			t.Fatalf("seed %d: beam %v, greedy %v", seed, beam, greedy)
		}
	}
}

// TestWideBeamIsBruteForce: as long as the beam is so wide that no step cuts a
// candidate, search is the ranking of all texts by their mean log-probability. Under
// that rule nothing narrower is safe, for the mean of a poor beginning can rise.
func TestWideBeamIsBruteForce(t *testing.T) {
	const vocabulary, length, stop = 4, 4, 2
	for seed := range uint64(20) {
		m := newTable(t, seed, 1, vocabulary)
		var all []Hypothesis
		var grow func(h Hypothesis)
		grow = func(h Hypothesis) {
			if n := len(h.Tokens); n == length || n > 0 && h.Tokens[n-1] == stop {
				h.Score, h.Finished = h.LogProb/float64(n), h.Tokens[n-1] == stop
				all = append(all, h)
				return
			}
			for token, logProb := range m.logProbs(0, h.Tokens) {
				grow(Hypothesis{Tokens: append(slices.Clip(h.Tokens), token), LogProb: h.LogProb + logProb})
			}
		}
		grow(Hypothesis{})
		slices.SortFunc(all, func(a, b Hypothesis) int { return descending(a.Score, b.Score) })
		o := PaperBeam()
		o.Beams, o.MaxLength, o.StopTokens = len(all), length, []int{stop}
		o.NBest = o.Beams
		if got := mustSearch(t, m, o)[0]; !same(got, all) {
			t.Fatalf("seed %d:\n got %v\nwant %v", seed, got, all)
		}
	}
}

func TestTiesGoToTheLowest(t *testing.T) {
	row := make([]float32, 9)
	m := &scripted{prefill: [][]float32{row}, next: [][]float32{row, row, row}}
	o := PaperBeam()
	o.Beams, o.NBest, o.MaxLength, o.StopTokens = 3, 3, 2, nil
	want := [][]int{{0, 0}, {0, 1}, {0, 2}}
	for i, h := range mustSearch(t, m, o)[0] {
		if !slices.Equal(h.Tokens, want[i]) {
			t.Errorf("beam %d: %v, want %v", i, h.Tokens, want[i])
		}
	}
}
