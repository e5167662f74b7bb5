package align

import (
	"fmt"
	"math"
)

// maxPlan bounds N·M for the plans, which hold the whole cost matrix: 256 MB of
// float64. Larger sets are sampled by the caller.
const maxPlan = 32 << 20

// Plan is a coupling of N photos and M texts with uniform marginals: how much of each
// photo's mass 1/N goes to which text, of mass 1/M each.
type Plan interface {
	Row(i int) []float64 // of photo i: [M]
}

// Cost is the L2 distance of each photo to each text: [N, M].
func Cost(photos, texts [][]float32) ([][]float64, error) {
	if err := checkBoth(photos, texts); err != nil {
		return nil, err
	}
	if len(photos)*len(texts) > maxPlan {
		return nil, fmt.Errorf("align: a transport plan of %d photos and %d texts is over the limit of %d entries: use a sample", len(photos), len(texts), maxPlan)
	}
	cost := make([][]float64, len(photos))
	for i, photo := range photos {
		cost[i] = make([]float64, len(texts))
		for j, text := range texts {
			cost[i][j] = distance(photo, text)
		}
	}
	return cost, nil
}

func distance(a, b []float32) float64 {
	sum := 0.0
	for j, v := range a {
		d := float64(v) - float64(b[j])
		sum += d * d
	}
	return math.Sqrt(sum)
}

// Barycentric moves photo i to the mean of the texts that its mass goes to:
//
//	x_i' = N·Σ_j T_ij t_j
func Barycentric(p Plan, photos, texts [][]float32) [][]float32 {
	out := make([][]float32, len(photos))
	for i := range photos {
		out[i] = narrow(weighted(p.Row(i), texts, float64(len(photos))))
	}
	return out
}

// Literal multiplies the photos by the plan, as the paper says:
//
//	X' = T*·X
//
// which needs as many photos as texts, and has no reason to help: row i becomes 1/N of
// the photos that would stand in the texts' places.
func Literal(p Plan, photos, texts [][]float32) ([][]float32, error) {
	if len(photos) != len(texts) {
		return nil, fmt.Errorf("align: a plan of %d photos and %d texts does not multiply the photos: it must be square", len(photos), len(texts))
	}
	out := make([][]float32, len(photos))
	for i := range photos {
		out[i] = narrow(weighted(p.Row(i), photos, 1))
	}
	return out, nil
}

// weighted is scale times the sum of the rows by their weights: [E].
func weighted(weights []float64, rows [][]float32, scale float64) []float64 {
	sum := make([]float64, len(rows[0]))
	for i, weight := range weights {
		if weight == 0 {
			continue
		}
		for j, v := range rows[i] {
			sum[j] += scale * weight * float64(v)
		}
	}
	return sum
}
