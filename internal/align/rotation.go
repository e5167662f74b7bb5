package align

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// Signs is how the directions of principal axes are chosen, which a singular value
// decomposition leaves open: v and −v serve it equally.
type Signs string

// The paper fixes no signs, and its rotation scrambles the space; see [Rotate].
const (
	AsDecomposed Signs = "decomposed" // as they come; the paper's
	BySkewness   Signs = "skewness"   // so that the longer tail of both sets is on the same side
	ByPairs      Signs = "pairs"      // so that row i of both sets is on the same side; needs pairs
)

// Rotation turns photos' principal axes onto texts':
//
//	X_i − μ_i = U_i D_i V_iᵀ,  X_t − μ_t = U_t D_t V_tᵀ
//	x' = (x − μ_i) V_i V_tᵀ + μ_t
//
// The paper says nothing of centring; without it the first axis would be the mean.
type Rotation struct {
	photos, texts *principal
}

// NewRotation finds the axes of two sets, of any sizes. Where a set has fewer rows
// than E, its last axes are arbitrary.
func NewRotation(photos, texts [][]float32, signs Signs) (*Rotation, error) {
	if err := checkBoth(photos, texts); err != nil {
		return nil, err
	}
	r := &Rotation{}
	var err error
	if r.photos, err = newPrincipal(photos); err != nil {
		return nil, err
	}
	if r.texts, err = newPrincipal(texts); err != nil {
		return nil, err
	}
	switch signs {
	case AsDecomposed:
		return r, nil
	case BySkewness:
		r.photos.orient(r.photos.skewness(photos))
		r.texts.orient(r.texts.skewness(texts))
		return r, nil
	case ByPairs:
		if len(photos) != len(texts) {
			return nil, fmt.Errorf("align: %d photos and %d texts are not pairs", len(photos), len(texts))
		}
		r.texts.orient(r.agreement(photos, texts))
		return r, nil
	}
	return nil, fmt.Errorf("align: signs are %q, want %q, %q or %q", signs, AsDecomposed, BySkewness, ByPairs)
}

// Rotate returns x' of an embedding [E] of a photo.
func (r *Rotation) Rotate(x []float32) []float32 {
	out := append([]float64(nil), r.texts.centre...)
	for k, score := range r.photos.scores(x) {
		for j := range out {
			out[j] += score * r.texts.axes.At(j, k)
		}
	}
	return narrow(out)
}

// agreement is, for each axis, the sum over pairs of the product of both scores.
func (r *Rotation) agreement(photos, texts [][]float32) []float64 {
	sum := make([]float64, len(r.texts.centre))
	for i := range photos {
		text := r.texts.scores(texts[i])
		for k, score := range r.photos.scores(photos[i]) {
			sum[k] += score * text[k]
		}
	}
	return sum
}

// principal is a set's centre [E] and its principal axes, the columns of [E, E] by
// ascending variance: V, the eigenvectors of (X−μ)ᵀ(X−μ).
type principal struct {
	centre []float64
	axes   *mat.Dense
}

func newPrincipal(rows [][]float32) (*principal, error) {
	p := &principal{centre: mean(rows), axes: new(mat.Dense)}
	width := len(p.centre)
	scatter := mat.NewSymDense(width, nil)
	const block = 512 // rows that are widened at once
	for start := 0; start < len(rows); start += block {
		scatter.SymRankK(scatter, 1, widen(rows[start:min(start+block, len(rows))], p.centre).T())
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(scatter, true) {
		return nil, errors.New("align: the principal axes did not converge")
	}
	eigen.VectorsTo(p.axes)
	return p, nil
}

// widen is rows as float64, less a centre unless that is nil: [rows, E].
func widen(rows [][]float32, centre []float64) *mat.Dense {
	out := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, row := range rows {
		for j, v := range row {
			x := float64(v)
			if centre != nil {
				x -= centre[j]
			}
			out.Set(i, j, x)
		}
	}
	return out
}

// scores are the coordinates of x − μ along the axes: [E].
func (p *principal) scores(x []float32) []float64 {
	centred := make([]float64, len(x))
	for j, v := range x {
		centred[j] = float64(v) - p.centre[j]
	}
	out := mat.NewVecDense(len(x), nil)
	out.MulVec(p.axes.T(), mat.NewVecDense(len(x), centred))
	return out.RawVector().Data
}

// skewness is the sum of the third powers of the scores along each axis.
func (p *principal) skewness(rows [][]float32) []float64 {
	sum := make([]float64, len(p.centre))
	for _, row := range rows {
		for k, score := range p.scores(row) {
			sum[k] += score * score * score
		}
	}
	return sum
}

// orient turns the axes with a negative value around.
func (p *principal) orient(values []float64) {
	for k, v := range values {
		if v >= 0 {
			continue
		}
		for j := range p.centre {
			p.axes.Set(j, k, -p.axes.At(j, k))
		}
	}
}
