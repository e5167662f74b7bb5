package align

import (
	"fmt"
	"math"
)

// Sinkhorn is the plan with entropy (Cuturi 2013), the minimum of
//
//	Σ T_ij C_ij + reg·Σ T_ij (log T_ij − 1)
//
// which is T_ij = exp((f_i + g_j − C_ij)/reg) with a dual variable for each photo and
// each text, in units of the cost. Logarithms are kept, not the factors exp(f/reg),
// which leave float64 where costs are hundreds of reg apart.
type Sinkhorn struct {
	cost [][]float64 // [N, M]
	reg  float64
	f, g []float64
	sums []float64 // of the rows, in shares of a photo's mass: 1 at the end
}

// NewSinkhorn scales columns and rows in turn until the rows hold to 1e-9 of a photo's
// mass; the columns do to rounding. That alone does not come to an end near the exact
// plan: where each text takes nearly all of its mass from one photo, no change is handed
// on, and the rows' error falls as 1 over the number of iterations. So reg comes down
// from the largest difference of costs by halves, each start near its end (Kosowsky and
// Yuille 1994), and Newton's method finishes what scaling does not (Brauer et al. 2017).
func NewSinkhorn(photos, texts [][]float32, reg float64) (*Sinkhorn, error) {
	if !(reg > 0) || math.IsInf(reg, 0) {
		return nil, fmt.Errorf("align: reg is %g, want more than 0", reg)
	}
	cost, err := Cost(photos, texts)
	if err != nil {
		return nil, err
	}
	least, most := math.Inf(1), 0.0
	for _, row := range cost {
		for _, c := range row {
			least, most = min(least, c), max(most, c)
		}
	}
	s := &Sinkhorn{
		cost: cost, reg: max(reg, most-least),
		f: make([]float64, len(photos)), g: make([]float64, len(texts)), sums: make([]float64, len(photos)),
	}
	const rough, tolerance = 0.1, 1e-9
	for ; s.reg > reg; s.reg = max(reg, s.reg/2) {
		if err := s.balance(rough); err != nil {
			return nil, err
		}
	}
	return s, s.balance(tolerance)
}

// Row is the mass that photo i sends to each text: [M].
func (s *Sinkhorn) Row(i int) []float64 {
	row := make([]float64, len(s.g))
	for j, c := range s.cost[i] {
		row[j] = exp((s.f[i] + s.g[j] - c) / s.reg)
	}
	return row
}

// balance brings the rows within a tolerance.
func (s *Sinkhorn) balance(tolerance float64) error {
	const patience, most = 100, 300 // iterations: of scaling, and with Newton's after them
	s.scaleColumns()
	for step := range most {
		if s.off() < tolerance {
			return nil
		}
		if step < patience {
			s.scaleRows()
		} else {
			s.newton()
		}
	}
	return fmt.Errorf("align: marginals are off by %.1g after %d iterations: raise reg, which is %.3g", s.off(), most, s.reg)
}

// off is the largest error of a row.
func (s *Sinkhorn) off() float64 {
	worst := 0.0
	for _, sum := range s.sums {
		worst = max(worst, math.Abs(sum-1))
	}
	return worst
}

// scaleRows gives each row its sum 1/N, and then each column its own again.
func (s *Sinkhorn) scaleRows() {
	for i, sum := range s.sums {
		s.f[i] -= s.reg * math.Log(sum)
	}
	s.scaleColumns()
}

// scaleColumns gives each column its sum 1/M,
//
//	g_j = −reg·(log M + log Σ_i exp((f_i − C_ij)/reg))
//
// and sums up the rows.
func (s *Sinkhorn) scaleColumns() {
	top, total := make([]float64, len(s.g)), make([]float64, len(s.g))
	for j := range top {
		top[j] = math.Inf(-1)
	}
	for i, row := range s.cost {
		for j, c := range row {
			top[j] = max(top[j], s.f[i]-c)
		}
	}
	for i, row := range s.cost {
		for j, c := range row {
			total[j] += exp((s.f[i] - c - top[j]) / s.reg)
		}
	}
	for j, t := range total {
		s.g[j] = -top[j] - s.reg*math.Log(float64(len(s.g))*t)
	}
	for i := range s.cost {
		s.sums[i] = 0
		for _, mass := range s.Row(i) {
			s.sums[i] += mass * float64(len(s.f))
		}
	}
}

// exp is math.Exp without its assembly, each call of which can cost microseconds
// after an engine's vector kernels ran; see docs/adr/0002.
func exp(x float64) float64 { return math.Exp2(x * math.Log2E) }
