package decode

import (
	"math/rand/v2"
	"testing"
)

// vocabulary is GPT-2's.
const vocabulary = 50257

// peaked returns a row of logits as a trained model gives them: few tokens matter.
func peaked(seed uint64) []float32 {
	random := rand.New(rand.NewPCG(seed, 0))
	row := make([]float32, vocabulary)
	for i := range row {
		row[i] = float32(-90 + 3*random.NormFloat64())
	}
	for range 30 {
		row[random.IntN(vocabulary)] += float32(20 * random.Float64())
	}
	return row
}

func BenchmarkTop(b *testing.B) {
	row := peaked(1)
	var list []choice
	for b.Loop() {
		list = top(list, row, 5, nil)
	}
}

func BenchmarkLogSumExp(b *testing.B) {
	row := peaked(1)
	for b.Loop() {
		if _, err := logSumExp(row); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStep times what search adds to a token of one text, or of five beams.
func BenchmarkStep(b *testing.B) {
	for name, o := range strategies() {
		b.Run(name, func(b *testing.B) {
			o.StopTokens, o.NBest, o.Beams = nil, 1, 5
			logits := make([][]float32, 5)
			for i := range logits {
				logits[i] = peaked(uint64(i))
			}
			s := newSearch(o, logits[:1])
			rows := 1
			b.ReportAllocs()
			for b.Loop() {
				if err := s.step(logits[:rows]); err != nil {
					b.Fatal(err)
				}
				tokens, _ := s.continued()
				rows = len(tokens)
				for i := range s.texts[0] {
					s.texts[0][i].tokens = s.texts[0][i].tokens[:1]
				}
			}
		})
	}
}
