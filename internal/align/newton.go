package align

import (
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// newton moves the photos' dual variables by a step of Newton's method, of which it
// takes half after half until the rows' errors shrink. Where they do not, it scales.
//
// With exact columns, the errors r_i = 1/N − Σ_j T_ij shrink by
//
//	Σ_k W_ik (f_i − f_k) / reg,  W_ik = M·Σ_j T_ij T_kj
//
// for small changes of f: currents in a net of resistors between photos that share
// texts.
func (s *Sinkhorn) newton() {
	from, before := slices.Clone(s.f), s.squares()
	step := s.potentials()
	for scale := s.reg; scale > s.reg/64; scale /= 2 {
		for i := range s.f {
			s.f[i] = from[i] + scale*step[i]
		}
		s.scaleColumns()
		if s.squares() < before {
			return
		}
	}
	copy(s.f, from)
	s.scaleColumns()
	s.scaleRows()
}

// squares is the sum of the squared errors of the rows.
func (s *Sinkhorn) squares() float64 {
	sum := 0.0
	for _, share := range s.sums {
		sum += (1 - share) * (1 - share)
	}
	return sum
}

// potentials solves Σ_k W_ik (x_i − x_k) + μ·x_i = r_i, O(N²·(N+M)), by eliminating one
// photo after the other in favour of direct links between its neighbours. That adds
// positive numbers alone, so it is exact for links of any size; a general elimination
// takes differences, which are lost where a photo has a text nearly for itself. The link
// μ of each photo to ground is a quarter of the largest error, so that |x| ≤ 4: across
// links that are weaker than rounding, steps would be noise.
func (s *Sinkhorn) potentials() []float64 {
	n, m := len(s.f), len(s.g)
	plan := mat.NewDense(n, m, nil)
	for i := range n {
		plan.SetRow(i, s.Row(i))
	}
	links := mat.NewDense(n, n, nil)
	links.Mul(plan, plan.T())
	links.Scale(float64(n*m), links) // in shares of a photo's mass, as the errors
	x, ground, degree := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range x {
		x[i], ground[i] = 1-s.sums[i], s.off()/4
	}
	for v := n - 1; v >= 0; v-- {
		row := links.RawRowView(v)[:v]
		degree[v] = ground[v] + floats.Sum(row)
		for i, w := range row {
			share := w / degree[v]
			x[i] += share * x[v]
			ground[i] += share * ground[v]
			floats.AddScaled(links.RawRowView(i)[:v], share, row)
		}
	}
	for v := range x {
		x[v] = (x[v] + floats.Dot(links.RawRowView(v)[:v], x[:v])) / degree[v]
	}
	return x
}
