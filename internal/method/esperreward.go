package method

import (
	"fmt"
	"math"
)

// Rewards is (1) and (2) for the tokens of a text, with their log π and log π_ref; judged
// tells whether R counts.
func (c ESPERConfig) Rewards(text []int, cosine float64, logProb, reference []float32, judged bool) []float64 {
	m := float64(len(text))
	out := make([]float64, len(text))
	for t := range text {
		p, q := float64(logProb[t]), float64(reference[t])
		out[t] = -c.KL*(p-q) - c.Entropy*math.Max(0, -q-c.EntropyBound/m) + c.LengthBonus/m
	}
	last := -c.Repetition * float64(repeats(text, 1)+2*repeats(text, 2)+4*repeats(text, 3))
	if judged {
		last += c.Gain*cosine + c.Bias
	}
	out[len(out)-1] += last
	return out
}

// repeats counts the n-grams of a text that it has already.
func repeats(text []int, n int) int {
	seen, count := make(map[string]bool), 0
	for i := 0; i+n <= len(text); i++ {
		gram := fmt.Sprint(text[i : i+n])
		if seen[gram] {
			count++
		}
		seen[gram] = true
	}
	return count
}

// Advantages is (3) for the rewards and values of texts, [B][m] both, after the rewards
// were whitened about their own mean; and the advantages whitened.
func (c ESPERConfig) Advantages(rewards, values [][]float64) (advantages, targets [][]float64) {
	mean, deviation := moments(rewards)
	for i, row := range rewards {
		a, v := make([]float64, len(row)), make([]float64, len(row))
		last := 0.0
		for t := len(row) - 1; t >= 0; t-- {
			next := 0.0
			if t+1 < len(row) {
				next = values[i][t+1]
			}
			last = (row[t]-mean)/deviation + mean + c.Discount*next - values[i][t] + c.Discount*c.Trace*last
			a[t], v[t] = last, last+values[i][t]
		}
		advantages, targets = append(advantages, a), append(targets, v)
	}
	mean, deviation = moments(advantages)
	for _, row := range advantages {
		for t := range row {
			row[t] = (row[t] - mean) / deviation
		}
	}
	return advantages, targets
}

// moments are the mean and the standard deviation, which is never quite 0.
func moments(rows [][]float64) (mean, deviation float64) {
	n, square := 0.0, 0.0
	for _, row := range rows {
		for _, v := range row {
			mean += v
			n++
		}
	}
	mean /= n
	for _, row := range rows {
		for _, v := range row {
			square += (v - mean) * (v - mean)
		}
	}
	return mean, math.Sqrt(square/n + 1e-8)
}
