package kernels

import "unsafe"

// Ends are what the sums of a product begin with, and what is done with them in the end:
// C = From + A·B + Plus, and nothing below 0 if Rectify. From may be C, Plus may not.
type Ends struct {
	From, Plus Lines
	Rectify    bool
}

// Lines are rows of a matrix of C's columns: row i begins at Data[i·Row], so that Row is 0
// where all of C's have the same. Without data there are none.
type Lines struct {
	Data []float32
	Row  int
}

// right is what there is from column col on.
func (e Ends) right(col int) Ends {
	e.From, e.Plus = e.From.right(col), e.Plus.right(col)
	return e
}

func (l Lines) right(col int) Lines {
	if l.Data != nil {
		l.Data = l.Data[col:]
	}
	return l
}

// frame is where the sums of a panel or tile come from and go to, as kernels have it.
type frame struct {
	c, from, plus corner
	rectify       int
}

// corner is the first value of a part of a matrix, nil where there is none, and how many
// values are between its rows.
type corner struct {
	at  *float32
	row int
}

// frame checks that there are so many rows and columns of all.
func (e Ends) frame(c []float32, rowC, rows, cols int) frame {
	f := frame{c: Lines{c, rowC}.corner(rows, cols), from: e.From.corner(rows, cols), plus: e.Plus.corner(rows, cols)}
	if e.Rectify {
		f.rectify = 1
	}
	return f
}

func (l Lines) corner(rows, cols int) corner {
	if l.Data == nil {
		return corner{}
	}
	_ = l.Data[(rows-1)*l.Row+cols-1]
	return corner{unsafe.SliceData(l.Data), l.Row}
}

// part is the frame of a part of k: what is not the first goes on with C, and only the last
// one has the other end.
func (f frame) part(first, last bool) frame {
	if !first {
		f.from = f.c
	}
	if !last {
		f.plus, f.rectify = corner{}, 0
	}
	return f
}

// place is the address of a value, nil where there are none.
func (c corner) place(row, col int) *float32 { return offset(c.at, row*c.row+col) }

// lend is the frame of the tile at a row and column that has fewer columns than its kernel:
// copies in other memory.
func (f *frame) lend(spare *spare, row, col, rows, cols int) frame {
	return frame{
		c:       corner{&spare.tile[0], PanelWidth},
		from:    f.from.copied(&spare.from, row, col, rows, cols),
		plus:    f.plus.copied(&spare.plus, row, col, rows, cols),
		rectify: f.rectify,
	}
}

func (c corner) copied(to *[tallest * PanelWidth]float32, row, col, rows, cols int) corner {
	if c.at == nil {
		return c
	}
	for i := range rows {
		copy(to[i*PanelWidth:], vector(c.place(row+i, col), cols))
	}
	return corner{&to[0], PanelWidth}
}

// collect copies what a kernel wrote to lent memory to where it belongs.
func (f *frame) collect(spare *spare, row, col, rows, cols int) {
	for i := range rows {
		copy(vector(f.c.place(row+i, col), cols), spare.tile[i*PanelWidth:])
	}
}
