package align

import (
	"math"
	"slices"
)

// Aligned is a set of photos after an alignment.
type Aligned struct {
	Name   string
	Photos [][]float32 // [N, E]
}

// Every aligns N photos in each way that there is, by the means and the axes of a
// reference set of photos and texts, and by transport onto its texts, N as well. The
// photos themselves may be the reference, as the paper had it. Text i is of the
// reference's photo i, which only the rotation named after pairs makes use of.
func Every(photos, reference, texts [][]float32) ([]Aligned, error) {
	from, err := Centre(slices.Values(reference))
	if err != nil {
		return nil, err
	}
	to, err := Centre(slices.Values(texts))
	if err != nil {
		return nil, err
	}
	out := []Aligned{{"none", photos}, {"mean", each(photos, func(x []float32) []float32 { return MeanShift(x, from, to) })}}
	for _, signs := range []Signs{AsDecomposed, BySkewness, ByPairs} {
		r, err := NewRotation(reference, texts, signs)
		if err != nil {
			return nil, err
		}
		out = append(out, Aligned{"rotation, signs by " + string(signs), each(photos, r.Rotate)})
	}
	transported, err := transports(photos, texts)
	return append(out, transported...), err
}

func transports(photos, texts [][]float32) ([]Aligned, error) {
	exact, err := NewExact(photos, texts)
	if err != nil {
		return nil, err
	}
	literal, err := Literal(exact, photos, texts)
	if err != nil {
		return nil, err
	}
	sinkhorn, err := NewSinkhorn(photos, texts, usualReg(exact.cost))
	if err != nil {
		return nil, err
	}
	return []Aligned{
		{"transport, literal", literal},
		{"transport, barycentric", Barycentric(exact, photos, texts)},
		{"Sinkhorn, barycentric", Barycentric(sinkhorn, photos, texts)},
	}, nil
}

func each(rows [][]float32, move func([]float32) []float32) [][]float32 {
	out := make([][]float32, len(rows))
	for i, row := range rows {
		out[i] = move(row)
	}
	return out
}

// usualReg is a twentieth of the costs' standard deviation, and so means the same for
// embeddings of any length. The deviation, not the mean: what all distances have in
// common, which across the gap is most of them, changes no plan. Where there is next to
// none, any plan is as good, and rounding sets the limit.
func usualReg(cost [][]float64) float64 {
	var s sums
	for _, row := range cost {
		for _, c := range row {
			s.add(c)
		}
	}
	spread := s.spread()
	return max(spread.SD/20, spread.Mean/1e6, math.SmallestNonzeroFloat32)
}
