package weights

import "fmt"

// budget is the memory that opening one file may still allocate. Readers take
// from it before they allocate, so that a small file cannot ask for much.
type budget struct{ left int }

// newBudget allows what honest files need many times over. With the zip
// directory, which is bounded apart, it keeps Open's promise.
func newBudget(fileSize int) *budget { return &budget{left: 16<<20 + 3*fileSize} }

// take books n bytes.
func (b *budget) take(n int) error {
	if n < 0 || n > b.left {
		return fmt.Errorf("the file asks for more memory than its size can justify")
	}
	b.left -= n
	return nil
}
