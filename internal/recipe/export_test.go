package recipe

import "github.com/cutline-go/cutline/dataset"

// Few is few, for tests.
func Few(records []dataset.Record, captions int, seed int64) ([]dataset.Record, []int, error) {
	return few(records, captions, seed)
}
