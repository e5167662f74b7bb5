package decode

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// table is a language model whose logits are random, but a function of the text:
// of its seed, the sequence and the tokens so far.
type table struct {
	t          testing.TB
	seed       uint64
	sequences  []int // their numbers; a batch is a slice of them
	vocabulary int
	stops      []int // tokens that must not be sent

	rows  [][]int // by row of the last logits: the sequence's number, then the tokens
	calls int
	sent  int         // rows that Next read
	allow func() bool // asked before each Next, if not nil
}

func newTable(t testing.TB, seed uint64, sequences, vocabulary int) *table {
	m := &table{t: t, seed: seed, vocabulary: vocabulary}
	for i := range sequences {
		m.sequences = append(m.sequences, i)
	}
	return m
}

func (m *table) Prefill(context.Context) ([][]float32, error) {
	m.rows = nil
	for _, number := range m.sequences {
		m.rows = append(m.rows, []int{number})
	}
	return m.logits(), nil
}

func (m *table) Next(_ context.Context, tokens, parents []int) ([][]float32, error) {
	if m.allow != nil && !m.allow() {
		m.t.Errorf("call %d was not to be made", m.calls)
	}
	rows := make([][]int, len(tokens))
	for i, token := range tokens {
		if slices.Contains(m.stops, token) {
			m.t.Errorf("stop token %d was sent to the model", token)
		}
		rows[i] = append(slices.Clip(m.rows[parents[i]]), token)
	}
	m.rows = rows
	m.calls++
	m.sent += len(tokens)
	return m.logits(), nil
}

func (m *table) logits() [][]float32 {
	logits := make([][]float32, len(m.rows))
	for i, row := range m.rows {
		logits[i] = m.row(row)
	}
	return logits
}

// row returns the logits after a text, which begins with its sequence's number.
func (m *table) row(text []int) []float32 {
	hash := fnv.New64a()
	for _, token := range text {
		_ = binary.Write(hash, binary.LittleEndian, uint64(token))
	}
	random := rand.New(rand.NewPCG(m.seed, hash.Sum64()))
	row := make([]float32, m.vocabulary)
	for i := range row {
		row[i] = float32(2 * random.NormFloat64())
	}
	return row
}

// logProbs returns softmax().log() of the logits after a sequence's tokens.
func (m *table) logProbs(number int, tokens []int) []float64 {
	return logSoftmax(m.row(append([]int{number}, tokens...)))
}

// logSoftmax is the definition, with the standard library's functions.
func logSoftmax(row []float32) []float64 {
	sum := 0.0
	for _, x := range row {
		sum += math.Exp(float64(x))
	}
	out := make([]float64, len(row))
	for i, x := range row {
		out[i] = float64(x) - math.Log(sum)
	}
	return out
}

func mustSearch(t testing.TB, lm LanguageModel, o Options) [][]Hypothesis {
	t.Helper()
	found, err := Search(context.Background(), lm, o)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// same tells whether hypotheses agree, log-probabilities up to rounding.
func same(a, b []Hypothesis) bool {
	return slices.EqualFunc(a, b, func(a, b Hypothesis) bool {
		return slices.Equal(a.Tokens, b.Tokens) && a.Finished == b.Finished &&
			math.Abs(a.LogProb-b.LogProb) < 1e-9 && math.Abs(a.Score-b.Score) < 1e-9
	})
}

// strategies are options of every kind of search, for texts of up to 8 tokens that
// end in 3 or 5.
func strategies() map[string]Options {
	greedy := PaperGreedy()
	greedy.MaxLength, greedy.StopTokens = 8, []int{3, 5}
	beam := greedy
	beam.Strategy, beam.Beams, beam.NBest = Beam, 4, 3
	sample := greedy
	sample.Strategy, sample.NBest, sample.Seed = Sample, 5, 7
	nucleus := sample
	nucleus.Temperature, nucleus.TopP = 1.5, 0.8
	topK := sample
	topK.TopK, topK.TopP = 4, 0.9
	return map[string]Options{"greedy": greedy, "beam": beam, "sample": sample, "nucleus": nucleus, "top-k": topK}
}
