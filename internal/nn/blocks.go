package nn

import (
	"strconv"
	"strings"
)

// Blocks counts the blocks 0, 1, … of a stack from the names of its tensors, which
// are prefix, the block's number and a dot.
func Blocks(shapes map[string][]int, prefix string) int {
	count := 0
	for name := range shapes {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			number, _, _ := strings.Cut(rest, ".")
			if n, err := strconv.Atoi(number); err == nil {
				count = max(count, n+1)
			}
		}
	}
	return count
}
