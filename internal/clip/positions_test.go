package clip_test

import (
	"slices"
	"testing"

	"github.com/cutline-go/cutline/internal/clip"
)

// TestStretchPositions stretches a table whose places hold their own row and column.
func TestStretchPositions(t *testing.T) {
	table := []float32{9, 9, 0, 0, 0, 1, 1, 0, 1, 1} // 2 × 2 places of width 2
	if got := clip.StretchPositions(table, 2, 2, 2); !slices.Equal(got, table) {
		t.Errorf("to its own size: %v, want %v", got, table)
	}
	want := []float32{9, 9,
		0, 0, 0, 0.5, 0, 1,
		0.5, 0, 0.5, 0.5, 0.5, 1,
		1, 0, 1, 0.5, 1, 1}
	if got := clip.StretchPositions(table, 2, 2, 3); !slices.Equal(got, want) {
		t.Errorf("2 × 2 to 3 × 3: %v, want %v", got, want)
	}
	if got, want := clip.StretchPositions(want, 2, 3, 1), []float32{9, 9, 0.5, 0.5}; !slices.Equal(got, want) {
		t.Errorf("3 × 3 to one place: %v, want its middle, %v", got, want)
	}
}
