package decode

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestExp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	worst := 0.0
	check := func(x float64) {
		want := math.Exp(x)
		worst = max(worst, math.Abs(exp(x)-want)/want)
	}
	for range 200_000 {
		check(-700 * random.Float64())
		check(-random.Float64())
		check(-math.Pow(2, -60*random.Float64()))
	}
	// Where the reduced argument is largest: half-way between multiples of ln 2.
	for n := range 1000 {
		half := -(float64(n) + 0.5) * math.Ln2
		check(half)
		check(math.Nextafter(half, 0))
		check(math.Nextafter(half, -800))
	}
	if !(worst < 1e-10) {
		t.Errorf("relative error %.3g, want below 1e-10", worst)
	}
}

func TestExpAtTheEnds(t *testing.T) {
	for _, x := range []float64{0, math.Copysign(0, -1), -5e-324} {
		if got := exp(x); got != 1 {
			t.Errorf("exp(%g) = %g, want 1", x, got)
		}
	}
	for _, x := range []float64{-700.0001, -1e300, math.Inf(-1)} {
		if got := exp(x); got != 0 {
			t.Errorf("exp(%g) = %g, want 0", x, got)
		}
	}
}

func TestLogSumExp(t *testing.T) {
	inf := math.Inf(-1)
	for _, row := range [][]float32{
		{0}, {-3e38}, {3e38, -3e38}, {1, 1, 1, 1}, {1000, 999, 998}, {-1000, -1001},
		{float32(inf), 2, float32(inf)}, {88, -88, 0.5, 87.9},
	} {
		got, err := logSumExp(row)
		if err != nil {
			t.Fatal(err)
		}
		largest, sum := inf, 0.0
		for _, x := range row {
			largest = max(largest, float64(x))
		}
		for _, x := range row {
			sum += math.Exp(float64(x) - largest)
		}
		if want := largest + math.Log(sum); math.Abs(got-want) > 1e-10*max(1, math.Abs(want)) {
			t.Errorf("logSumExp(%v) = %.15g, want %.15g", row, got, want)
		}
	}
}
