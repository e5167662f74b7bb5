package engine

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"

	"github.com/cutline-go/cutline/engine/internal/kernels"
)

func gatherShape(n *node) (shapes.Shape, error) {
	a := n.attrs
	return shapeinference.Gather(n.inputs[0].shape, n.inputs[1].shape, a[0].(int),
		a[1].([]int), a[2].([]int), a[3].([]int), a[4].([]int), a[5].(bool))
}

func scatterShape(n *node) (shapes.Shape, error) {
	a := n.attrs
	return shapeinference.Scatter(n.inputs[0].shape, n.inputs[1].shape, n.inputs[2].shape,
		a[0].(int), a[1].([]int), a[2].([]int), a[3].([]int))
}

// windows are the slices of a table that vectors of indices point to, and their
// places in a tensor that holds one slice beside another.
type windows struct {
	table, list view  // one slice of each, as the first one lies
	starts      view  // of indices, [batch..., vector]
	batch       []int // dims
	listBatch   []int // strides of list by the axes of batch
	axes        []int // of the table, that the vector's values are for
	most        []int // the largest index for each
	tableAxes   []int // strides of the table by axes
	index       func(e *env, s *slot, i int) int
}

// newWindows reads what gather and scatter have in common. In table, the axes
// dropped do not appear in the list, whose axes inList hold the others.
func newWindows(table, list, indices view, vectorAxis int, inList, dropped, axes, sizes []int) (*windows, bool) {
	w := &windows{axes: axes, starts: indices}
	if w.index = indexReader(indices.dtype); w.index == nil {
		return nil, false
	}
	if vectorAxis == len(indices.dims) {
		w.starts.dims = append(slices.Clone(indices.dims), 1)
		w.starts.strides = append(slices.Clone(indices.strides), 1)
	} else {
		var order []int
		for i := range indices.dims {
			if i != vectorAxis {
				order = append(order, i)
			}
		}
		w.starts = indices.transposed(append(order, vectorAxis))
	}
	w.batch = w.starts.dims[:len(w.starts.dims)-1]
	for i := range list.dims {
		if !slices.Contains(inList, i) {
			w.listBatch = append(w.listBatch, list.strides[i])
		}
	}
	w.table, w.list = table, list
	w.table.dims, w.table.strides, w.list.dims, w.list.strides = nil, nil, nil, nil
	for i, stride := range table.strides {
		if !slices.Contains(dropped, i) {
			at := inList[len(w.table.dims)]
			w.table.dims, w.table.strides = append(w.table.dims, sizes[i]), append(w.table.strides, stride)
			w.list.dims, w.list.strides = append(w.list.dims, sizes[i]), append(w.list.strides, list.strides[at])
		}
	}
	for _, axis := range axes {
		w.most = append(w.most, table.dims[axis]-sizes[axis])
		w.tableAxes = append(w.tableAxes, table.strides[axis])
	}
	return w, len(w.batch) == len(w.listBatch)
}

// each visits the slices: where they begin in the table and in the list, and
// whether the indices lie within the table. Those that do not are moved to its
// border.
func (w *windows) each(e *env, visit func(table, list int, within bool) error) error {
	vector := w.starts.strides[len(w.starts.strides)-1]
	at := view{dims: w.batch, strides: w.starts.strides[:len(w.batch)], offset: w.starts.offset}
	to := view{dims: w.batch, strides: w.listBatch, offset: w.list.offset}
	var err error
	walk(w.batch, []view{at, to}, func(i places) {
		from, within := w.table.offset, true
		for j, most := range w.most {
			start := w.index(e, w.starts.slot, i[0]+j*vector)
			within = within && start >= 0 && start <= most
			from += min(max(start, 0), most) * w.tableAxes[j]
		}
		if err == nil {
			err = visit(from, i[1], within)
		}
	})
	return err
}

// indexReader reads indices of a type, or is nil.
func indexReader(dtype dtypes.DType) func(e *env, s *slot, i int) int {
	switch dtype {
	case dtypes.Int32:
		return readIndex[int32]
	case dtypes.Int64:
		return readIndex[int64]
	case dtypes.Uint8:
		return readIndex[uint8]
	case dtypes.Uint32:
		return readIndex[uint32]
	case dtypes.Uint64:
		return readIndex[uint64]
	}
	return nil
}

func readIndex[T int32 | int64 | uint8 | uint32 | uint64](e *env, s *slot, i int) int {
	return int(all[T](e, s)[i])
}

// lowerGather copies slices of a table, such as rows of an embedding.
func lowerGather(p *planner, n *node) bool {
	table, indices := p.view(n.inputs[0]), p.view(n.inputs[1])
	if table.dtype.IsPacked() || n.outputs[0].size() == 0 || table.size() == 0 {
		return false
	}
	out := whole(p.slot(temporary, bytesOf(n.outputs[0].shape)), n.outputs[0])
	if p.gatherPacked(n, table, indices, out) {
		return true
	}
	w, ok := newWindows(table, out, indices, n.attrs[0].(int), n.attrs[1].([]int), n.attrs[2].([]int), n.attrs[3].([]int), n.attrs[4].([]int))
	if !ok {
		return false
	}
	p.views[n.outputs[0]] = out
	axes, move := pair(w.list, w.table), mover(w.list, w.table)
	row := axes[len(axes)-1]
	rows := table.slot.kind == parameter && table.dtype == dtypes.Float32 && len(axes) == 1 && row.to == 1 && row.from == 1
	if rows {
		p.lookUps[table.slot]++
	}
	p.emit(n.op.String(), []view{table, indices}, []view{out}, func(e *env) error {
		if rows && e.mem[table.slot.index] == nil {
			bytes, half, err := e.inputs[table.slot.parameter].stored()
			if err != nil {
				return err
			}
			if half {
				return w.widened(e, valuesOf[uint16](bytes), row.dim)
			}
			e.mem[table.slot.index] = bytes
		}
		return w.each(e, func(from, to int, _ bool) error { return move(e, to, from) })
	})
	return true
}

// widened copies rows of so many halves.
func (w *windows) widened(e *env, halves []uint16, width int) error {
	y := all[float32](e, w.list.slot)
	return w.each(e, func(from, to int, _ bool) error {
		e.kernels.Widen(y[to:to+width], halves[from:from+width])
		return nil
	})
}

// gatherPacked takes rows of a table out of its packed copy, where a product of the
// same graph needs that copy anyway: an embedding that is the output layer too.
func (p *planner) gatherPacked(n *node, table, indices, out view) bool {
	if table.slot.kind != parameter || !table.isWhole() || len(table.dims) != 2 || !p.isOutputLayer(n.inputs[0]) {
		return false
	}
	rows, sizes := n.attrs[3].([]int), n.attrs[4].([]int)
	if !slices.Equal(rows, []int{0}) || !slices.Equal(n.attrs[2].([]int), []int{0}) || sizes[1] != table.dims[1] {
		return false
	}
	w, ok := newWindows(table, out, indices, n.attrs[0].(int), n.attrs[1].([]int), []int{0}, rows, sizes)
	if !ok || w.list.strides[0] != 1 {
		return false
	}
	width := table.dims[1]
	m := &matmul{source: table, right: layout{k: width, n: table.dims[0], row: 1, col: width}}
	p.views[n.outputs[0]] = out
	p.packs[table.slot] = append(p.packs[table.slot], m.right)
	p.emit("Gather of packed", []view{table, indices}, []view{out}, func(e *env) error {
		packed, err := e.packedInput(m)
		if err != nil {
			return err
		}
		y, halves := all[float32](e, out.slot), valuesOf[uint16](e.workers[0].room(2*width))
		return w.each(e, func(from, to int, _ bool) error {
			if row := y[to : to+width]; packed.Halves == nil {
				kernels.UnpackColumn(row, packed.Floats, width, from/width)
			} else {
				kernels.UnpackColumn(halves, packed.Halves, width, from/width)
				e.kernels.Widen(row, halves)
			}
			return nil
		})
	})
	return true
}

// isOutputLayer tells whether a table [V, D] is the transposed weight of a dense
// layer.
func (p *planner) isOutputLayer(table *value) bool {
	return slices.ContainsFunc(p.live, func(n *node) bool {
		return n.op == compute.OpTypeFusedDense && n.inputs[1] == table &&
			n.attrs[0].(compute.DenseConfig).WeightLayout == compute.DenseLayoutOutputsInput
	})
}

// lowerScatter adds slices to those of a table, one after another; those outside
// of it are left out.
func lowerScatter(p *planner, n *node) bool {
	table, indices, updates := p.view(n.inputs[0]), p.view(n.inputs[1]), p.view(n.inputs[2])
	if table.dtype != dtypes.Float32 || updates.size() == 0 || table.size() == 0 {
		return false
	}
	inserted, sizes := n.attrs[2].([]int), slices.Clone(table.dims)
	inUpdates := n.attrs[1].([]int)
	for i, j := 0, 0; i < len(sizes); i++ {
		if slices.Contains(inserted, i) {
			sizes[i] = 1
		} else {
			sizes[i] = updates.dims[inUpdates[j]]
			j++
		}
	}
	out, inPlace := p.inPlace(n, table)
	if !inPlace {
		out = whole(p.slot(temporary, bytesOf(n.outputs[0].shape)), n.outputs[0])
		out.slot.pieces = true
	}
	w, ok := newWindows(out, updates, indices, n.attrs[0].(int), inUpdates, inserted, n.attrs[3].([]int), sizes)
	if !ok {
		return false
	}
	if p.views[n.outputs[0]] = out; !inPlace {
		p.copy(out, table)
	}
	axes := pair(w.table, w.list)
	row, outer := axes[len(axes)-1], axes[:len(axes)-1]
	p.emit(n.op.String(), []view{indices, updates, out}, []view{out}, func(e *env) error {
		y, x := all[float32](e, out.slot), all[float32](e, updates.slot)
		return w.each(e, func(to, from int, within bool) error {
			if within {
				addWindow(e, y, x, to, from, outer, row)
			}
			return nil
		})
	})
	return true
}

func addWindow(e *env, y, x []float32, to, from int, outer []pairAxis, row pairAxis) {
	if len(outer) > 0 {
		for i := range outer[0].dim {
			addWindow(e, y, x, to+i*outer[0].to, from+i*outer[0].from, outer[1:], row)
		}
		return
	}
	if row.to == 1 && row.from == 1 {
		e.kernels.Add(y[to:to+row.dim], y[to:to+row.dim], x[from:from+row.dim])
		return
	}
	for i := range row.dim {
		y[to+i*row.to] += x[from+i*row.from]
	}
}
