package weights

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/x448/float16"
)

func TestHalfToFloat32(t *testing.T) {
	for h := range 1 << 16 {
		got, want := HalfToFloat32(uint16(h)), float16.Frombits(uint16(h)).Float32()
		nan := got != got && want != want
		if math.Float32bits(got) != math.Float32bits(want) && !nan {
			t.Fatalf("half %#04x: %g, want %g", h, got, want)
		}
		if back := Float32ToHalf(got); back != uint16(h) && !nan {
			t.Fatalf("half %#04x came back as %#04x", h, back)
		}
	}
}

func TestFloat32ToHalf(t *testing.T) {
	check := func(v float32) {
		if got, want := Float32ToHalf(v), float16.Fromfloat32(v).Bits(); got != want {
			t.Fatalf("%g (%#08x): %#04x, want %#04x", v, math.Float32bits(v), got, want)
		}
	}
	// Each half, the middle to the next one, and the neighbours of both.
	for h := range 0x7c00 {
		low, high := HalfToFloat32(uint16(h)), HalfToFloat32(uint16(h+1))
		if h == 0x7bff {
			high = 65536
		}
		for _, v := range []float32{low, (low + high) / 2} {
			check(v)
			check(-v)
			check(math.Nextafter32(v, 0))
			check(math.Nextafter32(v, 1e9))
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 1_000_000 {
		check(math.Float32frombits(r.Uint32()))
	}
}

func TestBrain(t *testing.T) {
	// 2⁻⁸ is half a unit in the last place of a bfloat16 at 1.
	for v, want := range map[float32]float32{
		1:                               1,
		1 + 0x1p-8:                      1,
		1 + 0x1p-8 + 0x1p-20:            1 + 0x1p-7,
		1 + 3*0x1p-8:                    1 + 0x1p-6,
		-1 - 3*0x1p-8:                   -1 - 0x1p-6,
		math.MaxFloat32:                 float32(math.Inf(1)),
		float32(math.Inf(-1)):           float32(math.Inf(-1)),
		math.SmallestNonzeroFloat32 * 3: 0,
	} {
		if got := math.Float32frombits(uint32(float32ToBrain(v)) << 16); got != want {
			t.Errorf("%g: %g, want %g", v, got, want)
		}
	}
	if got := math.Float32frombits(uint32(float32ToBrain(math.Float32frombits(0x7f800001))) << 16); got == got {
		t.Errorf("a NaN became %g", got)
	}
}
