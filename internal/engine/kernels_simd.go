//go:build goexperiment.simd && amd64

package engine

import (
	"simd/archsimd"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/support/envutil"
)

// goKernels says, for people to read, which kernels the go engine multiplies
// matrices with: "simd (avx512)", "simd (avx2)" or "portable (...)" with the
// reason.
func goKernels() string {
	switch {
	case archsimd.X86.AVX512() && allowed(envutil.SIMD_AVX512_Env):
		return "simd (avx512)"
	case archsimd.X86.AVX2() && allowed(envutil.SIMD_AVX2_Env):
		return "simd (avx2)"
	}
	return "portable (this processor has neither AVX-512 nor AVX2, or they are switched off)"
}

// allowed reports whether the environment variable leaves a kernel switched
// on; GoMLX has stopped the program before this if its value is malformed.
func allowed(variable string) bool {
	on, err := envutil.ReadBool(variable, true)
	return err == nil && on
}

func openGo() (compute.Backend, error) {
	b, err := newGoBackend()
	if err != nil {
		return nil, err
	}
	return &backend{b}, nil
}
