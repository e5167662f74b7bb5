package align

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Gap is how far apart photos and texts lie (Liang et al. 2022, "Mind the gap"), all
// embeddings divided by their lengths.
type Gap struct {
	Distance float64 `json:"centroid_distance"` // L2, of the two means
	Photo    float64 `json:"photo_centroid"`    // length of the photos' mean: 1 if all are the same, 0 if they point everywhere
	Text     float64 `json:"text_centroid"`

	// Cosines of two photos, of two texts, of a photo and a text that is not its own,
	// and of a photo and one that is.
	Photos  Spread `json:"photos"`
	Texts   Spread `json:"texts"`
	Across  Spread `json:"across"`
	Matched Spread `json:"matched"`
}

// Spread is a mean and a standard deviation.
type Spread struct {
	Mean float64 `json:"mean"`
	SD   float64 `json:"sd"`
}

// NewGap measures N photos and M texts; text j is of photo of[j]. It takes the means
// and second moments of the sets, not their N·M products, which give the same.
func NewGap(photos, texts [][]float32, of []int) (*Gap, error) {
	if err := checkBoth(photos, texts); err != nil {
		return nil, err
	}
	if len(of) != len(texts) || len(photos) < 2 || len(texts) < 2 {
		return nil, fmt.Errorf("align: %d photos and %d texts, %d of them matched: want two or more", len(photos), len(texts), len(of))
	}
	p, t := newMoments(photos), newMoments(texts)
	var own sums
	for j, i := range of {
		own.add(Cosine(photos[i], texts[j]))
	}
	centroids := make([]float64, len(p.mean))
	for k := range centroids {
		centroids[k] = p.mean[k] - t.mean[k]
	}
	return &Gap{
		Distance: length(centroids), Photo: length(p.mean), Text: length(t.mean),
		Photos:  p.with(p).less(sums{p.count, p.count, p.count}).spread(), // a photo with itself has 1
		Texts:   t.with(t).less(sums{t.count, t.count, t.count}).spread(),
		Across:  p.with(t).less(own).spread(),
		Matched: own.spread(),
	}, nil
}

// moments are the mean [E] and the sum of u·uᵀ [E, E] of a set of directions u.
type moments struct {
	count  float64
	mean   []float64
	second *mat.SymDense
}

func newMoments(rows [][]float32) moments {
	units := Units(rows)
	m := moments{float64(len(rows)), mean(units), mat.NewSymDense(len(rows[0]), nil)}
	const block = 512 // rows that are widened at once
	for start := 0; start < len(units); start += block {
		m.second.SymRankK(m.second, 1, widen(units[start:min(start+block, len(units))], nil).T())
	}
	return m
}

// sums are of cosines: how many, their sum, and that of their squares.
type sums struct{ count, first, second float64 }

func (s *sums) add(v float64) {
	s.count, s.first, s.second = s.count+1, s.first+v, s.second+v*v
}

// with sums over all pairs of two sets: Σ u·v and Σ (u·v)² = ⟨Σ uuᵀ, Σ vvᵀ⟩.
func (m moments) with(o moments) sums {
	s := sums{count: m.count * o.count}
	for k, v := range m.mean {
		s.first += m.count * v * o.count * o.mean[k]
	}
	for i := range m.mean {
		for j := range m.mean {
			s.second += m.second.At(i, j) * o.second.At(i, j)
		}
	}
	return s
}

func (s sums) less(o sums) sums {
	return sums{s.count - o.count, s.first - o.first, s.second - o.second}
}

func (s sums) spread() Spread {
	mean := s.first / s.count
	return Spread{mean, math.Sqrt(max(0, s.second/s.count-mean*mean))}
}

// Cosine is that of two embeddings [E].
func Cosine(a, b []float32) float64 {
	other, sum := Unit(b), 0.0
	for k, v := range Unit(a) {
		sum += float64(v) * float64(other[k])
	}
	return sum
}

func length(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum)
}
