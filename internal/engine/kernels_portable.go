//go:build !goexperiment.simd || !amd64

package engine

import (
	"runtime"

	"github.com/gomlx/compute"
)

// goKernels says, for people to read, which kernels the go engine multiplies
// matrices with: "simd (avx512)", "simd (avx2)" or "portable (...)" with the
// reason.
func goKernels() string {
	if runtime.GOARCH != "amd64" {
		return "portable (no vector kernels for " + runtime.GOARCH + ")"
	}
	return "portable (built without GOEXPERIMENT=simd: 4–10 times slower)"
}

func openGo() (compute.Backend, error) { return newGoBackend() }
