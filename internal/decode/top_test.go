package decode

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// naiveTop is top by sorting everything.
func naiveTop(row []float32, n int, banned []int) []choice {
	var all []choice
	for token, logit := range row {
		if !slices.Contains(banned, token) && !math.IsInf(float64(logit), -1) {
			all = append(all, choice{token, logit})
		}
	}
	slices.SortStableFunc(all, func(a, b choice) int { return descending(float64(a.logit), float64(b.logit)) })
	return all[:min(n, len(all))]
}

func TestTop(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var list []choice
	for range 5000 {
		row := make([]float32, 1+random.IntN(60))
		for i := range row {
			// Few different values: ties are the rule.
			if row[i] = float32(random.IntN(12)); row[i] == 0 {
				row[i] = float32(math.Inf(-1))
			}
		}
		banned := random.Perm(len(row))[:random.IntN(len(row))]
		n := 1 + random.IntN(len(row)+3)
		list = top(list, row, n, banned)
		if want := naiveTop(row, n, banned); !slices.Equal(list, want) {
			t.Fatalf("the top %d of %v without %v: %v, want %v", n, row, banned, list, want)
		}
	}
}
