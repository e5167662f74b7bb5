package engine

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"

	"github.com/cutline-go/cutline/engine/internal/kernels"
)

// matmul is a batch of products C = A·B, with a bias for each column and a program
// that is applied to C, both optional.
type matmul struct {
	batch            []int // dims
	aBatch, bBatch   []int // strides by the axes of batch
	rows, k, n       int
	a, b             view // of one product of the batch, the first
	aRow, aCol       int
	right            layout
	source           view // of a parameter, where B is a parameter or a dense copy of one
	copied           bool // B is a copy
	bias             *view
	plain            bool // B is read where it lies: there is but one block of rows that does
	packed           view // of all of B's, where there are several
	out              view
	program          *program
	blockRows, panel int // rows and panels of a part
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
			if m.program, ok = activation(a, []int{m.rows}, m.n); !ok {
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

// findTurned finds products of two matrices that are read transposed alone, as those of which
// the gradients of weights are made: what is written along rows and read along columns comes
// from memory value by value.
func (p *planner) findTurned() {
	readers := map[*value][]*node{}
	for _, n := range p.live {
		for _, v := range n.inputs {
			if v != nil {
				readers[v] = append(readers[v], n)
			}
		}
	}
	isOutput := map[*value]bool{}
	for _, v := range p.main.outputs {
		isOutput[v] = true
	}
	// straight tells whether somebody reads a matrix as it is, or its transpose if turned.
	var straight func(v *value, turned bool) bool
	straight = func(v *value, turned bool) bool {
		return isOutput[v] && !turned || slices.ContainsFunc(readers[v], func(n *node) bool {
			if n.op == compute.OpTypeTranspose {
				return straight(n.outputs[0], turned != (n.attrs[0].([]int)[0] == 1))
			}
			return !turned
		})
	}
	for _, n := range p.live {
		if n.op == compute.OpTypeDotGeneral && p.isProduct(n) && n.outputs[0].shape.Rank() == 2 && len(n.attrs[1].([]int)) == 0 {
			p.turned[n] = p.group[n] == nil && !straight(n.outputs[0], false)
		}
	}
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
	m := &matmul{}
	a, aFree := apart(a, aBatch, aSum, false)
	b, bFree := apart(b, bBatch, bSum, true)
	batch := len(aBatch)
	// A: [batch, rows, k]; B: [batch, k, columns].
	aRow, aCol, ok := matrix(a, batch, aFree)
	if !ok {
		a = p.dense(a)
		aRow, aCol, _ = matrix(a, batch, aFree)
	}
	bRow, bCol, ok := matrix(b, batch, len(bSum))
	if !ok {
		b = p.dense(b)
		bRow, bCol, _ = matrix(b, batch, len(bSum))
	}
	m.batch, m.aBatch, m.bBatch = a.dims[:batch], a.strides[:batch], b.strides[:batch]
	m.rows, m.k = product(a.dims[batch:batch+aFree]), product(a.dims[batch+aFree:])
	m.n = product(b.dims[len(b.dims)-bFree:])
	m.a, m.b, m.aRow, m.aCol = a, b, aRow, aCol
	m.right = layout{offset: b.offset, k: m.k, n: m.n, row: bRow, col: bCol}
	return m
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

// epilogueOf is the product that the program ending in n is applied to, or nil.
func (p *planner) epilogueOf(n *node) *value {
	source := p.sources[n]
	if source == nil {
		return nil
	}
	return source.outputs[0]
}

// findSources lets programs take the place of what follows a product: one whose
// readers are all in a program of the same dims is computed by it, tile by tile.
func (p *planner) findSources() {
	readers := map[*value][]*node{}
	isOutput := map[*value]bool{}
	for _, n := range p.live {
		for _, v := range n.inputs {
			if v != nil {
				readers[v] = append(readers[v], n)
			}
		}
	}
	for _, v := range p.main.outputs {
		isOutput[v] = true
	}
	for _, n := range p.live {
		if !p.isProduct(n) || isOutput[n.outputs[0]] {
			continue
		}
		last := p.joined(n.outputs[0], readers[n.outputs[0]])
		if last == nil || !oneColumnAxis(n) || activated(n) {
			continue
		}
		if before := p.sources[last]; before != nil {
			delete(p.group, before) // the later product takes the place
		}
		p.sources[last], p.group[n] = n, last
	}
}

func activated(n *node) bool {
	return n.op == compute.OpTypeFusedDense && n.attrs[0].(compute.DenseConfig).Activation != compute.ActivationNone
}

// oneColumnAxis tells whether the last axis of a product's result is that of all
// columns of B.
func oneColumnAxis(n *node) bool {
	rank := n.inputs[1].shape.Rank()
	if n.op == compute.OpTypeFusedDense {
		return rank == 2
	}
	return rank-len(n.attrs[2].([]int))-len(n.attrs[3].([]int)) == 1
}

// matmulWith multiplies and applies a program.
func (p *planner) matmulWith(n *node, g *program, reads []view, out *value) error {
	m := p.product(n)
	if m.n != g.inner {
		return fmt.Errorf("a program of rows of %d for a product of %d columns", g.inner, m.n)
	}
	m.program = g
	if !p.multiply(m, p.alloc(out), reads) {
		return fmt.Errorf("%s cannot be computed", n.op)
	}
	return nil
}

// multiply adds the instructions of a product.
func (p *planner) multiply(m *matmul, out view, reads []view) bool {
	m.out = out
	m.cut()
	reads = append(reads, m.a)
	if m.bias != nil {
		reads = append(reads, *m.bias)
	}
	cached := p.fromParameter(m)
	m.plain = !cached && m.blocks() == 1
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
	blocks := (m.rows + 95) / 96
	m.blockRows = (m.rows + blocks - 1) / blocks
	work := product(m.batch) * m.rows * m.k * m.n
	parts := min(max(work/(1<<17), 1), 64)
	perBlock := max(1, parts/(product(m.batch)*blocks))
	m.panel = min((m.panels()+perBlock-1)/perBlock, 8)
}

func (m *matmul) panels() int { return (m.n + kernels.PanelWidth - 1) / kernels.PanelWidth }

// groups is how many parts share the columns, blocks how many share the rows.
func (m *matmul) groups() int { return (m.panels() + m.panel - 1) / m.panel }
func (m *matmul) blocks() int { return (m.rows + m.blockRows - 1) / m.blockRows }

// part multiplies one block of rows with one group of panels. Those that share panels
// follow one another, and threads that take parts in turn stay each in columns of its own:
// the panel that a thread has asked for in the end is the one that it goes on with.
func (m *matmul) part(e *env, w *worker, part int) {
	blocks, groups := m.blocks(), m.groups()
	if e.team != nil {
		part = inLanes(part, product(m.batch)*blocks*groups, len(e.workers))
	}
	block := part % blocks
	group := part / blocks % groups
	i := part / blocks / groups
	row, col := block*m.blockRows, group*m.panel*kernels.PanelWidth
	rows, cols := min(m.blockRows, m.rows-row), min(m.panel*kernels.PanelWidth, m.n-col)
	at := m.a.offset + offsetOf(i, m.batch, m.aBatch) + row*m.aRow
	a, c := all[float32](e, m.a.slot)[at:], e.floats(m.out)[(i*m.rows+row)*m.n:]
	if m.bias != nil {
		bias := e.floats(*m.bias)[col:][:cols]
		for r := range rows {
			copy(c[r*m.n+col:][:cols], bias)
		}
	}
	left := kernels.Matrix{Data: a, Row: m.aRow, Col: m.aCol}
	switch {
	case m.plain:
		e.kernels.MultiplyPlain(c, m.n, left, m.plainRight(e, i), rows, m.k, col, cols, m.bias != nil, w.panelOf(m.k))
	case len(m.batch) > 0:
		size := kernels.PackedLen(m.k, m.n)
		b := kernels.Packed{Floats: e.packed.Floats[i*size : (i+1)*size]}
		e.kernels.Multiply(c, m.n, left, b, rows, m.k, col, cols, m.bias != nil)
	default:
		e.kernels.Multiply(c, m.n, left, e.packed, rows, m.k, col, cols, m.bias != nil)
	}
	if m.program != nil {
		m.finish(e, w, c, i*m.rows+row, rows, col, cols)
	}
}

// inLanes is the place of part number i where parts are laid out in lanes, one behind
// another, and numbered across them.
func inLanes(i, parts, lanes int) int {
	lane := i % lanes
	return lane*(parts/lanes) + min(lane, parts%lanes) + i/lanes
}

// plainRight is B of product i of the batch, where it lies.
func (m *matmul) plainRight(e *env, i int) kernels.Matrix {
	at := m.right.offset + offsetOf(i, m.batch, m.bBatch)
	return kernels.Matrix{Data: all[float32](e, m.b.slot)[at:], Row: m.right.row, Col: m.right.col}
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
