package evaluate

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/metrics"
)

// noise is a score of n images that are normal around centre, with deviation 1.
func noise(key string, n int, centre float64, seed uint64) Score {
	random := rand.New(rand.NewPCG(seed, 7))
	images := make([]float64, n)
	var sum float64
	for i := range images {
		images[i] = centre + random.NormFloat64()
		sum += images[i]
	}
	return NewMean(key, metrics.Scores{Name: key, Corpus: sum / float64(n), Images: images})
}

// shifted is a score of the same images, each better by some amount.
func shifted(s Score, by float64) Score {
	images := make([]float64, s.images)
	for i := range images {
		images[i] = s.Image(i) + by
	}
	return NewMean(s.Key, metrics.Scores{Name: s.Name, Corpus: s.Corpus + by, Images: images})
}

// TestIntervalsOfMean holds the interval of a mean against the normal one: the mean
// ± 1.96 deviations / √n.
func TestIntervalsOfMean(t *testing.T) {
	const n = 2500
	s := noise("x", n, 3, 1)
	got, err := Bootstrap{Resamples: 4000, Seed: 1}.Intervals([]Score{s})
	if err != nil {
		t.Fatal(err)
	}
	var squares float64
	for i := range n {
		squares += (s.Image(i) - s.Corpus) * (s.Image(i) - s.Corpus)
	}
	half := 1.96 * math.Sqrt(squares/n/n)
	for _, end := range []struct{ got, want float64 }{
		{got[0].Low, s.Corpus - half}, {got[0].High, s.Corpus + half},
	} {
		// A percentile of 4000 resamples is off by about a twentieth of the half width.
		if math.Abs(end.got-end.want) > half/8 {
			t.Errorf("interval %v, want %.4f ± %.4f", got[0], s.Corpus, half)
		}
	}
}

// TestSeed holds that a seed gives the same intervals to the bit, and another seed
// others.
func TestSeed(t *testing.T) {
	scores := []Score{noise("x", 100, 0, 1), noise("y", 100, 5, 2)}
	intervals := func(seed uint64) []Interval {
		t.Helper()
		got, err := Bootstrap{Resamples: 200, Seed: seed}.Intervals(scores)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if a, b := intervals(3), intervals(3); !reflect.DeepEqual(a, b) {
		t.Errorf("one seed gives %v and %v", a, b)
	}
	if a, b := intervals(3), intervals(4); reflect.DeepEqual(a, b) {
		t.Errorf("two seeds both give %v", a)
	}
}

func TestCompare(t *testing.T) {
	s := noise("x", 400, 3, 1)
	for _, tt := range []struct {
		name               string
		baseline           Score
		value, least, most float64 // the difference, and the range of p
	}{
		{"itself", s, 0, 1, 1},
		{"the same but worse on each image", shifted(s, -0.1), 0.1, 0, 2.1 / 501},
		{"the same but better on each image", shifted(s, 0.1), -0.1, 0, 2.1 / 501},
		{"another of the same quality", noise("x", 400, 3, 2), math.NaN(), 0.05, 1},
	} {
		got, err := Bootstrap{Resamples: 500}.Compare([]Score{s}, []Score{tt.baseline})
		if err != nil {
			t.Fatal(err)
		}
		d := got[0]
		if !math.IsNaN(tt.value) && math.Abs(d.Value-tt.value) > 1e-12 {
			t.Errorf("%s: difference %v, want %v", tt.name, d.Value, tt.value)
		}
		if d.P <= 0 || d.P < tt.least || d.P > tt.most {
			t.Errorf("%s: p = %v, want %v to %v", tt.name, d.P, tt.least, tt.most)
		}
		if d.Value < d.Low-1e-12 || d.Value > d.High+1e-12 {
			t.Errorf("%s: difference %v outside of %v", tt.name, d.Value, d.Interval)
		}
	}
}

// TestPairing holds that a difference that is the same on each image has no width,
// however much the images differ among themselves.
func TestPairing(t *testing.T) {
	s := noise("x", 50, 0, 1)
	got, err := Bootstrap{Resamples: 100}.Compare([]Score{s}, []Score{shifted(s, -1)})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got[0].Low-1) > 1e-12 || math.Abs(got[0].High-1) > 1e-12 {
		t.Errorf("interval %v, want [1, 1]", got[0].Interval)
	}
}

func TestBootstrapErrors(t *testing.T) {
	x, y := noise("x", 3, 0, 1), noise("y", 3, 0, 1)
	none := NewMean("x", metrics.Scores{})
	for _, tt := range []struct {
		name             string
		resamples        int
		scores, baseline []Score
		want             string
	}{
		{"no resamples", 0, []Score{x}, []Score{x}, "0 resamples"},
		{"no images", 10, []Score{none}, []Score{none}, "no images"},
		{"other images", 10, []Score{x}, []Score{noise("x", 4, 0, 1)}, "x has 4 images, x has 3"},
		{"other keys", 10, []Score{x}, []Score{y}, "x against y"},
		{"more keys", 10, []Score{x, y}, []Score{x}, "2 scores against 1"},
	} {
		_, err := Bootstrap{Resamples: tt.resamples}.Compare(tt.scores, tt.baseline)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestNotANumber holds that a score that is undefined somewhere is not given an
// interval as if it were not.
func TestNotANumber(t *testing.T) {
	s := NewMean("x", metrics.Scores{Corpus: math.NaN(), Images: []float64{1, math.NaN()}})
	got, err := Bootstrap{Resamples: 100}.Compare([]Score{s}, []Score{s})
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(got[0].Low) || !math.IsNaN(got[0].High) || !math.IsNaN(got[0].P) {
		t.Errorf("%+v, want no numbers", got[0])
	}
}

func BenchmarkIntervals(b *testing.B) {
	scores := []Score{noise("x", 5000, 0, 1)}
	for b.Loop() {
		if _, err := (Bootstrap{Resamples: 1000}).Intervals(scores); err != nil {
			b.Fatal(err)
		}
	}
}
