package decode

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// hiddenTable is a table whose hidden states are random functions of the text, too.
type hiddenTable struct{ *table }

const hiddenWidth = 3

func (m hiddenTable) Hidden() [][]float32 {
	states := make([][]float32, len(m.rows))
	for i, row := range m.rows {
		states[i] = m.state(row)
	}
	return states
}

func (m hiddenTable) state(text []int) []float32 {
	logits := m.row(append([]int{-1}, text...))
	return logits[:hiddenWidth]
}

// guide is a random function of the sequence and the text.
func (m hiddenTable) guide(_ context.Context, i int, texts [][]int) ([]float64, error) {
	out := make([]float64, len(texts))
	for j, text := range texts {
		out[j] = float64(m.row(append([]int{-2, m.sequences[i]}, text...))[0])
	}
	return out, nil
}

// naive is contrastive search as the formula reads, one text at a time.
func (m hiddenTable) naive(c Contrast, number int) []int {
	prompt := []int{number}
	var tokens []int
	for len(tokens) < c.Length {
		text := append(slices.Clone(prompt), tokens...)
		logProbs := logSoftmax(m.row(text))
		order := make([]int, len(logProbs))
		for v := range order {
			order[v] = v
		}
		slices.SortStableFunc(order, func(a, b int) int { return descending(logProbs[a], logProbs[b]) })
		order = order[:min(c.K, len(order))]
		suits, sum := make([]float64, len(order)), 0.0
		for i, v := range order {
			score, _ := m.guide(context.Background(), slices.Index(m.sequences, number), [][]int{append(slices.Clone(tokens), v)})
			suits[i] = math.Exp(score[0])
			sum += suits[i]
		}
		best, bestScore := -1, math.Inf(-1)
		for i, v := range order {
			alike := math.Inf(-1)
			state := m.state(append(slices.Clone(text), v))
			for n := 1; n <= len(text); n++ {
				before := m.state(text[:n])
				alike = max(alike, dot(state, before)/math.Sqrt(dot(state, state)*dot(before, before)))
			}
			score := (1-c.Alpha)*math.Exp(logProbs[v]) - c.Alpha*alike + c.Beta*suits[i]/sum
			if score > bestScore {
				best, bestScore = v, score
			}
		}
		if best == c.End {
			return tokens
		}
		tokens = append(tokens, best)
	}
	return tokens
}

// TestContrastiveIsTheFormula compares with the formula for many models and settings.
func TestContrastiveIsTheFormula(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	ended := 0
	for seed := range uint64(60) {
		m := hiddenTable{newTable(t, seed, 3, 9)}
		c := Contrast{K: 1 + rng.IntN(9), Alpha: rng.Float64(), Beta: float64(rng.IntN(3)), Length: 6, End: 4}
		found, err := SearchContrastive(context.Background(), m, c, m.guide)
		if err != nil {
			t.Fatal(err)
		}
		for i, number := range m.sequences {
			if want := m.naive(c, number); !slices.Equal(found[i].Tokens, want) {
				t.Errorf("%+v, seed %d, sequence %d: %v, want %v", c, seed, number, found[i].Tokens, want)
			}
			if found[i].Finished {
				ended++
			}
		}
	}
	if ended == 0 {
		t.Error("no text ended, so that nothing was seen of it")
	}
}

// TestContrastiveOfOneIsGreedy: with one candidate there is no choice.
func TestContrastiveOfOneIsGreedy(t *testing.T) {
	m := hiddenTable{newTable(t, 8, 4, 11)}
	found, err := SearchContrastive(context.Background(), m, Contrast{K: 1, Alpha: 0.6, Beta: 1, Length: 7, End: 3}, m.guide)
	if err != nil {
		t.Fatal(err)
	}
	o := PaperGreedy()
	o.MaxLength, o.StopTokens = 7, []int{3}
	for i, greedy := range mustSearch(t, m, o) {
		want := slices.DeleteFunc(slices.Clone(greedy[0].Tokens), func(id int) bool { return id == 3 })
		if !slices.Equal(found[i].Tokens, want) || math.Abs(found[i].LogProb-greedy[0].LogProb) > 1e-9 {
			t.Errorf("sequence %d: %v, greedily %v", i, found[i], greedy[0])
		}
	}
}

func TestContrastiveFails(t *testing.T) {
	m := hiddenTable{newTable(t, 1, 1, 5)}
	good := Contrast{K: 2, Alpha: 0.1, Beta: 1, Length: 3, End: 0}
	broken := errors.New("no photo")
	_, err := SearchContrastive(context.Background(), m, good, func(context.Context, int, [][]int) ([]float64, error) { return nil, broken })
	if !errors.Is(err, broken) {
		t.Errorf("a guide's error: %v", err)
	}
	for want, change := range map[string]func(*Contrast){
		"k is 0":      func(c *Contrast) { c.K = 0 },
		"alpha is 2":  func(c *Contrast) { c.Alpha = 2 },
		"beta is -1":  func(c *Contrast) { c.Beta = -1 },
		"length is 0": func(c *Contrast) { c.Length = 0 },
		"end is -1":   func(c *Contrast) { c.End = -1 },
	} {
		c := good
		change(&c)
		if _, err := SearchContrastive(context.Background(), m, c, m.guide); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}
