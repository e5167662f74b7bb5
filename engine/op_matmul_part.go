package engine

import "github.com/cutline-go/cutline/engine/internal/kernels"

// part multiplies one block of rows with one group of panels. Those that share what is larger
// follow one another: a thread stays in panels that it has to itself, and has asked for the
// panel that it goes on with, or in rows that it has to itself.
func (m *matmul) part(e *env, w *worker, part int) {
	blocks, groups := m.blocks(), m.groups()
	i, part := part/(blocks*groups), part%(blocks*groups)
	block, group := part%blocks, part/blocks
	if m.byRows {
		block, group = part/groups, part%groups
	}
	row, col := block*m.blockRows, group*m.panel*kernels.PanelWidth
	rows, cols := min(m.blockRows, m.rows-row), min(m.panel*kernels.PanelWidth, m.n-col)
	at := m.a.offset + offsetOf(i, m.batch, m.aBatch) + row*m.aRow
	if m.group > 0 {
		at += row / m.group * (m.drop - m.group*m.aRow)
	}
	a, c := all[float32](e, m.a.slot)[at:], e.floats(m.out)[(i*m.rows+row)*m.n:]
	ends := m.ends(e, i*m.rows+row)
	left := kernels.Segments{
		Matrix: kernels.Matrix{Data: a, Row: m.aRow, Col: m.aCol},
		Width:  m.segment, Jump: m.jump, Height: m.group, Drop: m.drop,
	}
	switch {
	case m.thirds && e.packed.Halves == nil:
		e.kernels.MultiplyThirds(c, m.n, left, e.packed.Floats, rows, m.k, col, cols, ends, w.thirdsRoom())
	case m.plain:
		e.kernels.MultiplyPlain(c, m.n, left, m.plainRight(e, i), rows, m.k, col, cols, ends, w.panelOf(m.k), m.nextRight(e, i, group))
	case len(m.batch) > 0:
		size := kernels.PackedLen(m.k, m.n)
		b := kernels.Packed{Floats: e.packed.Floats[i*size : (i+1)*size]}
		e.kernels.Multiply(c, m.n, left, b, rows, m.k, col, cols, ends)
	default:
		e.kernels.Multiply(c, m.n, left, e.packed, rows, m.k, col, cols, ends)
	}
	if m.program != nil {
		m.finish(e, w, c, i*m.rows+row, rows, col, cols)
	}
}

// ends are those of the rows of C from number row on.
func (m *matmul) ends(e *env, row int) kernels.Ends {
	ends := kernels.Ends{Rectify: m.rectify}
	if m.bias != nil {
		ends.From.Data = e.floats(*m.bias)
	}
	if m.plus != nil {
		ends.Plus = kernels.Lines{Data: e.floats(m.plus.view)[row*m.n:], Row: m.n}
	}
	return ends
}

// plainRight is B of product i of the batch, where it lies.
func (m *matmul) plainRight(e *env, i int) kernels.Matrix {
	at := m.right.offset + offsetOf(i, m.batch, m.bBatch)
	return kernels.Matrix{Data: all[float32](e, m.b.slot)[at:], Row: m.right.row, Col: m.right.col}
}

// nextRight is B of the product behind number i, or nothing while there are more groups of
// panels of that.
func (m *matmul) nextRight(e *env, i, group int) []float32 {
	if i++; i >= product(m.batch) || group < m.groups()-1 || m.k == 0 {
		return nil
	}
	b := m.plainRight(e, i)
	return b.Data[:(m.k-1)*b.Row+(m.n-1)*b.Col+1]
}

// finish applies the program to a tile of C, which is still in the cache: to several short
// rows at a time, in memory where they lie one behind another.
func (m *matmul) finish(e *env, w *worker, c []float32, first, rows, col, cols int) {
	together := min(rows, chunk/min(cols, chunk))
	if together == 1 {
		for r := range rows {
			for from := col; from < col+cols; from += chunk {
				y := c[r*m.n+from:][:min(chunk, col+cols-from)]
				m.program.run(e, w, window{first + r, 1, from}, y, y)
			}
		}
		return
	}
	for r := 0; r < rows; r += together {
		n := min(together, rows-r)
		y := m.program.scratch(w)[:n*cols]
		for i := range n {
			copy(y[i*cols:(i+1)*cols], c[(r+i)*m.n+col:])
		}
		m.program.run(e, w, window{first + r, n, col}, y, y)
		for i := range n {
			copy(c[(r+i)*m.n+col:][:cols], y[i*cols:])
		}
	}
}

// pack adds the instruction that packs B's that are computed.
func (p *planner) pack(m *matmul) {
	size, panels := kernels.PackedLen(m.k, m.n), m.panels()
	total := product(m.batch) * panels
	m.packed = p.scratch(size * product(m.batch))
	// Small matrices are packed whole, so that a part is worth a hand-over.
	perPart := max(1, (1<<13)/max(1, m.k*kernels.PanelWidth))
	p.emitParts("pack", []view{m.b}, []view{m.packed}, (total+perPart-1)/perPart, func(e *env, _ *worker, part int) {
		to := e.floats(m.packed)
		for j := part * perPart; j < min((part+1)*perPart, total); j++ {
			i := j / panels
			kernels.PackPanel(e.kernels, to[i*size:(i+1)*size], m.plainRight(e, i), m.k, m.n, j%panels)
		}
	})
}
