package kernels

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPackPanel: every way to store a matrix is packed to the same panels, whose values past
// the last column are 0.
func TestPackPanel(t *testing.T) {
	eachSet(t, func(t *testing.T, s, _ *Set) {
		rng := rand.New(rand.NewPCG(17, 18))
		for _, k := range []int{0, 1, 7, 8, 9, 64, 101} {
			for _, n := range []int{1, 4, 8, 15, 31, 32, 33, 50, 72} {
				for _, b := range []Matrix{{nil, n, 1}, {nil, 1, k}, {nil, 1, k + 3}, {nil, 2, 2*k + 1}} {
					b.Data = values(rng, k*b.Row+n*b.Col, 0)
					packed := values(rng, PackedLen(k, n), 0)
					want := make([]float32, len(packed))
					for panel := range (n + PanelWidth - 1) / PanelWidth {
						PackPanel(s, packed, b, k, n, panel)
					}
					for j := range n {
						for i := range k {
							want[j/PanelWidth*PanelWidth*k+i*PanelWidth+j%PanelWidth] = b.Data[i*b.Row+j*b.Col]
						}
					}
					if !slices.Equal(packed, want) {
						t.Fatalf("%d×%d with strides %d and %d is packed otherwise", k, n, b.Row, b.Col)
					}
				}
			}
		}
	})
}
