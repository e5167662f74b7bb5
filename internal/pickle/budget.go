package pickle

import "errors"

// Budget is the memory that reading one file may still allocate. Readers take
// from it before they allocate, so that a small file cannot ask for much.
type Budget struct{ left int }

// NewBudget allows n bytes.
func NewBudget(n int) *Budget { return &Budget{left: n} }

// Take books n bytes.
func (b *Budget) Take(n int) error {
	if n < 0 || n > b.left {
		return errors.New("the file asks for more memory than its size can justify")
	}
	b.left -= n
	return nil
}
