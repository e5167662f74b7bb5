package align

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// Memory is a large set of embeddings of texts, of any length but 0, read in blocks: a
// mapped file serves, of which no more than a block is in use at a time.
type Memory interface {
	Len() int // M
	Width() int
	// Block writes the rows from one up to but without another into a slice of that
	// size, [to−from, E] in C order.
	Block(from, to int, into []float32)
}

// blockRows of 512 values are 2 MB, which stay in a core's cache for both products.
const blockRows = 1024

// Project is DeCap's step from photos to texts (Li et al. 2023): what the memory
// holds around a photo, weighted by likeness, t being the inverse of its temperature
// (paper: 100 or 150).
//
//	v = x/‖x‖,  w_i = softmax_i(t·v·m_i),  p = Σ_i w_i m_i / ‖…‖
//
// with the m_i divided by their lengths. It reads the memory once, whatever its size,
// and holds (B+E)·blockRows numbers besides.
func Project(memory Memory, photos [][]float32, t float64) ([][]float32, error) {
	p, err := newProjection(memory, photos, t, false)
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(photos))
	for i := range out {
		out[i] = Unit(row(p.mixed, i)) // the sum of the weights cancels
	}
	return out, nil
}

// Aggregate is CgT-GAN's CLIP-agg (Yu et al. 2023): what the corpus holds around a photo,
// t being the inverse of a temperature (authors' code: 100, or 175 for a corpus from the
// web).
//
//	w_j = softmax_j(t·cos(x, c_j)),  e = Σ_j w_j c_j
//
// Unlike in [Project] the c_j count with their lengths, and e has the length that comes
// out. It reads the corpus once, as [Project] does.
func Aggregate(corpus Memory, photos [][]float32, t float64) ([][]float32, error) {
	p, err := newProjection(corpus, photos, t, true)
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(photos))
	for i := range out {
		out[i] = make([]float32, corpus.Width())
		for j, v := range row(p.mixed, i) {
			out[i][j] = float32(float64(v) / p.sums[i])
		}
	}
	return out, nil
}

// projection is a softmax over the blocks so far: weights relative to the largest.
type projection struct {
	t     float64
	whole bool           // rows count with their lengths
	most  []float64      // t times the largest score of each photo
	sums  []float64      // of the weights
	mixed blas32.General // weighted sums of the memory: [B, E]
}

// newProjection takes a whole memory in.
func newProjection(memory Memory, photos [][]float32, t float64, whole bool) (*projection, error) {
	if !(t > 0) || math.IsInf(t, 0) {
		return nil, fmt.Errorf("align: the inverse temperature is %g, want more than 0", t)
	}
	p := &projection{t: t, whole: whole, sums: make([]float64, len(photos)), most: make([]float64, len(photos))}
	for i := range p.most {
		p.most[i] = math.Inf(-1)
	}
	p.mixed = matrix(len(photos), memory.Width())
	return p, eachBlock(memory, photos, p.add)
}

// add takes a block in, of unit rows that had those lengths; scores [B, R] become its
// weights.
func (p *projection) add(_ int, block, scores blas32.General, lengths []float64) {
	for i := range p.sums {
		weights, most := row(scores, i), p.most[i]
		for _, score := range weights {
			most = max(most, p.t*float64(score))
		}
		// What was weighed against a smaller score counts for less.
		shrink := exp(p.most[i] - most)
		for j, v := range row(p.mixed, i) {
			row(p.mixed, i)[j] = float32(shrink * float64(v))
		}
		p.sums[i] *= shrink
		for j, score := range weights {
			weight := exp(p.t*float64(score) - most)
			p.sums[i] += weight
			if p.whole {
				weight *= lengths[j]
			}
			weights[j] = float32(weight)
		}
		p.most[i] = most
	}
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, scores, block, 1, p.mixed)
}

// Nearest returns, for each photo, the row of the memory of the largest cosine.
func Nearest(memory Memory, photos [][]float32) ([]int, error) {
	nearest, best := make([]int, len(photos)), make([]float32, len(photos))
	for i := range best {
		best[i] = float32(math.Inf(-1))
	}
	err := eachBlock(memory, photos, func(from int, _, scores blas32.General, _ []float64) {
		for i := range photos {
			for j, score := range row(scores, i) {
				if score > best[i] {
					best[i], nearest[i] = score, from+j
				}
			}
		}
	})
	return nearest, err
}

// eachBlock calls use with every block of the memory, its rows divided by their lengths
// [R], and the cosines of the photos [B] to them: [B, R], which use may overwrite.
func eachBlock(memory Memory, photos [][]float32, use func(from int, block, scores blas32.General, lengths []float64)) error {
	if err := check("photos", photos); err != nil {
		return err
	}
	if memory.Len() == 0 || memory.Width() != len(photos[0]) {
		return fmt.Errorf("align: a memory of %d rows of width %d for photos of width %d", memory.Len(), memory.Width(), len(photos[0]))
	}
	directions := matrix(len(photos), memory.Width())
	for i, photo := range photos {
		copy(row(directions, i), Unit(photo))
	}
	room, rows, lengths := matrix(len(photos), blockRows), matrix(blockRows, memory.Width()), make([]float64, blockRows)
	for from := 0; from < memory.Len(); from += blockRows {
		to := min(from+blockRows, memory.Len())
		block, scores := rows, room
		block.Rows, scores.Cols = to-from, to-from
		memory.Block(from, to, block.Data[:block.Rows*block.Cols])
		if err := unitRows(block, lengths, from); err != nil {
			return err
		}
		blas32.Gemm(blas.NoTrans, blas.Trans, 1, directions, block, 0, scores)
		use(from, block, scores, lengths)
	}
	return nil
}

// unitRows divides the rows of a block by their lengths, which it notes.
func unitRows(block blas32.General, lengths []float64, from int) error {
	for i := range block.Rows {
		x := row(block, i)
		v := blas32.Vector{N: len(x), Data: x, Inc: 1}
		// Nrm2 guards each element against overflow, which takes longer than the rest.
		norm := math.Sqrt(float64(blas32.Dot(v, v)))
		if !(norm > 0) || math.IsInf(norm, 0) {
			return fmt.Errorf("align: row %d of the memory has length %g", from+i, norm)
		}
		lengths[i] = norm
		blas32.Scal(float32(1/norm), v)
	}
	return nil
}

func matrix(rows, cols int) blas32.General {
	return blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: make([]float32, rows*cols)}
}

func row(m blas32.General, i int) []float32 { return m.Data[i*m.Stride : i*m.Stride+m.Cols] }
