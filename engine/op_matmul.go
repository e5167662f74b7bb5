package engine

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"

	"github.com/cutline-go/cutline/engine/internal/kernels"
)

// matmul is a batch of products C = A·B, with a bias for each column and ends or a program
// that are applied to C, all optional.
type matmul struct {
	batch            []int // dims
	aBatch, bBatch   []int // strides by the axes of batch
	rows, k, n       int
	a, b             view // of one product of the batch, the first
	aRow, aCol       int
	segment, jump    int // of A's columns, see [kernels.Segments]
	group, drop      int // of A's rows
	right            layout
	source           view // of a parameter, where B is a parameter or a dense copy of one
	copied           bool // B is a copy
	bias             *view
	plain            bool // B is read where it lies: there is but one block of rows that does
	packed           view // of all of B's, where there are several
	out              view
	plus             *extern // of the result's dims, added to it
	rectify          bool    // and nothing below 0
	program          *program
	blockRows, panel int  // rows and panels of a part
	byRows           bool // parts of the same rows follow one another, not those of the same panels
	thirds           bool // by the matrix unit
}

func dotShape(n *node) (shapes.Shape, error) {
	a := n.attrs
	return shapeinference.DotGeneral(n.inputs[0].shape, a[0].([]int), a[1].([]int),
		n.inputs[1].shape, a[2].([]int), a[3].([]int), a[4].(compute.DotGeneralConfig))
}

func denseShape(n *node) (shapes.Shape, error) {
	x, w := n.inputs[0].shape, n.inputs[1].shape
	if x.Rank() == 0 || w.Rank() < 2 {
		return x, fmt.Errorf("engine: dense layer of %s and weights %s", x, w)
	}
	in, out := w.Dimensions[0], w.Dimensions[1:]
	if n.attrs[0].(compute.DenseConfig).WeightLayout == compute.DenseLayoutOutputsInput {
		in, out = w.Dimensions[w.Rank()-1], w.Dimensions[:w.Rank()-1]
	}
	if x.Dimensions[x.Rank()-1] != in || x.DType != w.DType {
		return x, fmt.Errorf("engine: dense layer of %s and weights %s", x, w)
	}
	if b := n.inputs[2]; b != nil && (b.shape.DType != x.DType || b.shape.Size() != product(out)) {
		return x, fmt.Errorf("engine: dense layer of weights %s and bias %s", w, b.shape)
	}
	dims := append(append([]int(nil), x.Dimensions[:x.Rank()-1]...), out...)
	return shapes.Make(x.DType, dims...), nil
}

func lowerDense(p *planner, n *node) bool {
	m := p.product(n)
	if m == nil {
		return false
	}
	if n.op == compute.OpTypeFusedDense {
		if a := n.attrs[0].(compute.DenseConfig).Activation; a != compute.ActivationNone {
			var ok bool
			if m.program, ok = p.activation(a, []int{m.rows}, m.n); !ok {
				return false
			}
		}
	}
	return p.multiply(m, p.alloc(n.outputs[0]), nil)
}

// lowerDot computes a product, or where that is what is read, its transpose: Bᵀ·Aᵀ.
func lowerDot(p *planner, n *node) bool {
	if !p.turned[n] {
		return lowerDense(p, n)
	}
	at, v := n.attrs, n.outputs[0]
	m := p.contract(p.view(n.inputs[1]), at[2].([]int), nil, p.view(n.inputs[0]), at[0].([]int), nil)
	out := view{slot: p.slot(temporary, bytesOf(v.shape)), dtype: v.shape.DType, dims: []int{m.rows, m.n}, strides: []int{m.n, 1}}
	p.views[v] = out.transposed([]int{1, 0})
	return p.multiply(m, out, nil)
}

// isProduct tells whether a node is a product that the engine computes itself.
func (p *planner) isProduct(n *node) bool {
	if n.op != compute.OpTypeDotGeneral && n.op != compute.OpTypeFusedDense {
		return false
	}
	if n.op == compute.OpTypeDotGeneral && n.attrs[4].(compute.DotGeneralConfig).AccumulatorDType == dtypes.Float64 {
		return false
	}
	return n.outputs[0].shape.DType == dtypes.Float32 && n.inputs[0].shape.DType == dtypes.Float32 &&
		n.outputs[0].size() > 0 && n.inputs[0].size() > 0
}

// product reads a node as a batch of products, or returns nil.
func (p *planner) product(n *node) *matmul {
	if !p.isProduct(n) {
		return nil
	}
	a, b := p.view(n.inputs[0]), p.view(n.inputs[1])
	if n.op == compute.OpTypeDotGeneral {
		at := n.attrs
		return p.contract(a, at[0].([]int), at[1].([]int), b, at[2].([]int), at[3].([]int))
	}
	last, in := []int{len(a.dims) - 1}, []int{0}
	if n.attrs[0].(compute.DenseConfig).WeightLayout == compute.DenseLayoutOutputsInput {
		in[0] = len(b.dims) - 1
	}
	m := p.contract(a, last, nil, b, in, nil)
	if bias := n.inputs[2]; bias != nil {
		v := p.dense(p.view(bias))
		m.bias = &v
	}
	return m
}

// contract reads a product over the given axes.
func (p *planner) contract(a view, aSum, aBatch []int, b view, bSum, bBatch []int) *matmul {
	a, aFree := apart(a, aBatch, aSum, false)
	b, bFree := apart(b, bBatch, bSum, true)
	batch := len(aBatch)
	m := &matmul{batch: a.dims[:batch]}
	// A: [batch, rows, k]; B: [batch, k, columns].
	aRow, aCol, ok := m.pieces(a, batch+aFree)
	if !ok {
		a = p.dense(a)
		aRow, aCol, _ = m.pieces(a, batch+aFree)
	}
	bRow, bCol, ok := matrix(b, batch, len(bSum))
	if !ok {
		b = p.dense(b)
		bRow, bCol, _ = matrix(b, batch, len(bSum))
	}
	m.aBatch, m.bBatch = a.strides[:batch], b.strides[:batch]
	m.rows, m.k = product(a.dims[batch:batch+aFree]), product(a.dims[batch+aFree:])
	m.n = product(b.dims[len(b.dims)-bFree:])
	m.a, m.b, m.aRow, m.aCol = a, b, aRow, aCol
	m.right = layout{offset: b.offset, k: m.k, n: m.n, row: bRow, col: bCol}
	return m
}

// pieces finds the strides of A's rows and columns, its axes from one on, and the segments
// and groups in which they lie, where those are long enough to be worth it.
func (m *matmul) pieces(a view, from int) (row, col int, ok bool) {
	const columns, rows = kernels.PanelWidth, 6
	batch := len(m.batch)
	m.group, m.drop, row, ok = spaced(a.dims[batch:from], a.strides[batch:from], rows)
	if !ok {
		return 0, 0, false
	}
	m.segment, m.jump, col, ok = spaced(a.dims[from:], a.strides[from:], columns)
	return row, col, ok
}

// spaced finds the stride of the elements of some axes: of all of them, or where count is not
// 0, of groups of count, at least so many as least, which are jump apart.
func spaced(dims, strides []int, least int) (count, jump, stride int, ok bool) {
	switch c := compact(dims, strides); {
	case len(c) == 0:
		return 0, 0, 0, true
	case len(c) == 1:
		return 0, 0, c[0].stride, true
	case len(c) == 2 && c[1].dim >= least:
		return c[1].dim, c[0].stride, c[1].stride, true
	}
	return 0, 0, 0, false
}

// apart moves the batch axes to the front, and those summed over to the end, or
// behind the batch axes if first. It returns the number of the others.
func apart(v view, batch, sum []int, first bool) (view, int) {
	taken := map[int]bool{}
	for _, i := range batch {
		taken[i] = true
	}
	for _, i := range sum {
		taken[i] = true
	}
	var free []int
	for i := range v.dims {
		if !taken[i] {
			free = append(free, i)
		}
	}
	order := append([]int(nil), batch...)
	if first {
		order = append(append(order, sum...), free...)
	} else {
		order = append(append(order, free...), sum...)
	}
	return v.transposed(order), len(free)
}

// matrix finds the strides of the rows and columns of a view [batch, rows,
// columns], whose rows are the next axes behind the batch ones.
func matrix(v view, batch, rows int) (row, col int, ok bool) {
	r := compact(v.dims[batch:batch+rows], v.strides[batch:batch+rows])
	c := compact(v.dims[batch+rows:], v.strides[batch+rows:])
	if len(r) > 1 || len(c) > 1 {
		return 0, 0, false
	}
	if len(r) == 1 {
		row = r[0].stride
	}
	if len(c) == 1 {
		col = c[0].stride
	}
	return row, col, true
}

// matmulWith multiplies and applies a program.
func (p *planner) matmulWith(n *node, g *program, reads []view, out *value) error {
	m := p.product(n)
	if m.n != g.inner {
		return fmt.Errorf("a program of rows of %d for a product of %d columns", g.inner, m.n)
	}
	if !m.takeEnds(g) {
		m.program = g
	}
	if !p.multiply(m, p.alloc(out), reads) {
		return fmt.Errorf("%s cannot be computed", n.op)
	}
	return nil
}

// multiply adds the instructions of a product.
func (p *planner) multiply(m *matmul, out view, reads []view) bool {
	m.out = out
	m.thirds = p.byThirds(m)
	m.cut()
	reads = append(reads, m.a)
	if m.bias != nil {
		reads = append(reads, *m.bias)
	}
	cached := p.fromParameter(m)
	m.plain = !cached && !m.thirds && m.blocks() == 1
	switch {
	case cached:
		reads = append(reads, m.source)
		p.packs[m.source.slot] = append(p.packs[m.source.slot], m.right)
	case m.plain:
		reads = append(reads, m.b)
	default:
		p.pack(m)
		reads = append(reads, m.packed)
	}
	name := fmt.Sprintf("product %d×%d×%d×%d", product(m.batch), m.rows, m.k, m.n)
	parts, part := product(m.batch)*m.groups()*m.blocks(), m.part
	p.emit(name, reads, []view{out}, func(e *env) (err error) {
		e.packed = kernels.Packed{}
		switch {
		case cached:
			if e.packed, err = e.packedInput(m); err != nil {
				return err
			}
		case !m.plain:
			e.packed.Floats = e.floats(m.packed)
		}
		return e.each(parts, part)
	})
	return true
}

// cut chooses the parts: enough for several threads to share, large enough to be
// worth a hand-over.
func (m *matmul) cut() {
	if m.thirds {
		m.cutForThirds()
		return
	}
	work := product(m.batch) * m.rows * m.k * m.n
	parts := min(max(work/(1<<17), 1), 64)
	m.byRows = m.rows > fewRows && m.besideRight() > m.k*m.n
	most := m.mostRows()
	group := max(1, m.group) // a block has whole ones
	groups, each := m.rows/group, max(1, most/group)
	blocks := (groups + each - 1) / each
	m.blockRows = (groups + blocks - 1) / blocks * group
	perBlock := max(1, parts/(product(m.batch)*blocks))
	m.panel = min((m.panels()+perBlock-1)/perBlock, 8)
}

// byThirds tells whether the matrix unit multiplies. That is for training alone: its bits are
// not those of the other kernels, which multiply a few rows, and an engine for inference gives
// a photo the same caption in a batch of any size.
func (p *planner) byThirds(m *matmul) bool {
	const few = 48 // of which all are worth cutting B
	return p.backend.options.Training && p.backend.kernels.HasThirds() &&
		len(m.batch) == 0 && min(m.rows, m.k, m.n) >= few && m.group <= kernels.ThirdsRows
}

// cutForThirds is cut for the matrix unit, for which each part cuts its rows of A and its
// panels anew: the larger a part, the less of that, if there are enough to share.
func (m *matmul) cutForThirds() {
	const high, tile, wide, narrow, enough = kernels.ThirdsRows, 32, 48, 12, 24
	blocks := (m.rows + high - 1) / high
	m.blockRows = ((m.rows+blocks-1)/blocks + tile - 1) / tile * tile
	if m.group > 0 { // a block has whole ones
		m.blockRows = max(1, m.blockRows/m.group) * m.group
	}
	groups := max((m.panels()+wide-1)/wide, min((enough+m.blocks()-1)/m.blocks(), m.panels()/narrow))
	m.panel = (m.panels() + groups - 1) / groups
}

// fewRows are the rows of a block unless there is a reason for others.
const fewRows = 96

// mostRows are the rows of a block: fewer where all of B stays in the second cache, so that
// threads have about as much to do; more where there are many, since B comes from memory for
// each block.
func (m *matmul) mostRows() int {
	const cached = 1 << 18 // values
	switch {
	case m.byRows && m.k*m.n <= cached:
		return min(max(m.rows/32, 24), fewRows)
	case m.rows >= 8*fewRows && m.k*m.n > cached:
		return 2 * fewRows
	}
	return fewRows
}

// besideRight is how many values there are of A, which may overlap with itself, of C and of
// what is added to it.
func (m *matmul) besideRight() int {
	n := min(m.rows*m.k, m.a.slot.bytes/4) + m.rows*m.n
	if m.plus != nil {
		n += m.rows * m.n
	}
	return n
}

func (m *matmul) panels() int { return (m.n + kernels.PanelWidth - 1) / kernels.PanelWidth }

// groups is how many parts share the columns, blocks how many share the rows.
func (m *matmul) groups() int { return (m.panels() + m.panel - 1) / m.panel }
func (m *matmul) blocks() int { return (m.rows + m.blockRows - 1) / m.blockRows }

// fromParameter tells whether B is a parameter, or a dense copy of one, which its
// buffer keeps packed.
func (p *planner) fromParameter(m *matmul) bool {
	if len(m.batch) > 0 {
		return false
	}
	if m.source = m.b; m.b.slot.kind == parameter {
		return true
	}
	if source, ok := p.copies[m.b.slot]; ok {
		m.source, m.copied = source, true
		m.right.source = fmt.Sprint(source.dims, source.strides, source.offset)
		return true
	}
	return false
}
