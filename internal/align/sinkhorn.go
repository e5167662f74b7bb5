package align

import (
	"fmt"
	"math"
)

// Sinkhorn is the plan with entropy (Cuturi 2013), the minimum of
//
//	Σ T_ij C_ij + reg·Σ T_ij (log T_ij − 1)
//
// which is T = diag(u)·K·diag(v) with K = exp(−C/reg).
type Sinkhorn struct {
	kernel [][]float64 // K up to a factor: [N, M]
	u, v   []float64
}

// NewSinkhorn scales rows and columns in turn until the marginals hold to 1e-9 of a
// photo's mass. A small reg is near the exact plan and slow.
func NewSinkhorn(photos, texts [][]float32, reg float64) (*Sinkhorn, error) {
	if !(reg > 0) || math.IsInf(reg, 0) {
		return nil, fmt.Errorf("align: reg is %g, want more than 0", reg)
	}
	cost, err := Cost(photos, texts)
	if err != nil {
		return nil, err
	}
	s := &Sinkhorn{kernel: cost, u: make([]float64, len(photos)), v: make([]float64, len(texts))}
	if err := s.exponentiate(reg); err != nil {
		return nil, err
	}
	for j := range s.v {
		s.v[j] = 1
	}
	const most, tolerance = 20000, 1e-9
	off := 0.0
	for range most {
		if off = s.scaleRows(); off < tolerance {
			return s, nil
		}
		s.scaleColumns()
	}
	return nil, fmt.Errorf("align: marginals are off by %.1g after %d iterations: raise reg, which is %g", off, most, reg)
}

// Row is the mass that photo i sends to each text: [M].
func (s *Sinkhorn) Row(i int) []float64 {
	row := make([]float64, len(s.v))
	for j, k := range s.kernel[i] {
		row[j] = s.u[i] * k * s.v[j]
	}
	return row
}

// exponentiate turns costs into the kernel. A factor is free, so the least cost of
// all becomes 1.
func (s *Sinkhorn) exponentiate(reg float64) error {
	least, most := math.Inf(1), 0.0
	for _, row := range s.kernel {
		for _, c := range row {
			least, most = min(least, c), max(most, c)
		}
	}
	if (most-least)/reg > 600 {
		return fmt.Errorf("align: reg is %g, want at least %.2g for distances of %.2g to %.2g", reg, (most-least)/600, least, most)
	}
	for _, row := range s.kernel {
		for j, c := range row {
			row[j] = exp((least - c) / reg)
		}
	}
	return nil
}

// scaleRows gives each row its sum 1/N, and returns by how much of that the worst was
// off.
func (s *Sinkhorn) scaleRows() float64 {
	n, worst := float64(len(s.u)), 0.0
	for i, row := range s.kernel {
		sum := 0.0
		for j, k := range row {
			sum += k * s.v[j]
		}
		worst = max(worst, math.Abs(s.u[i]*sum*n-1))
		s.u[i] = 1 / (n * sum)
	}
	return worst
}

func (s *Sinkhorn) scaleColumns() {
	sums := make([]float64, len(s.v))
	for i, row := range s.kernel {
		for j, k := range row {
			sums[j] += s.u[i] * k
		}
	}
	for j, sum := range sums {
		s.v[j] = 1 / (float64(len(s.v)) * sum)
	}
}

// exp is math.Exp without its assembly, each call of which can cost microseconds
// after an engine's vector kernels ran; see docs/adr/0002.
func exp(x float64) float64 { return math.Exp2(x * math.Log2E) }
