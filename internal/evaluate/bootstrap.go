package evaluate

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// Bootstrap estimates how much a score depends on which images were at hand: images
// are drawn with replacement, as many as there are, and the score is taken again
// (Efron 1979; for captions and translations, Koehn 2004). What a metric learns from
// the whole corpus, such as CIDEr's document frequencies, stays as it is.
type Bootstrap struct {
	Resamples int    // how often images are drawn; 1000 is usual
	Seed      uint64 // the same seed draws the same images
}

// Interval is where 95 % of the resampled scores lie: their percentiles 2.5 and 97.5.
type Interval struct{ Low, High float64 }

// Difference is how much higher one system scores than another on the same images.
type Difference struct {
	Key   string
	Value float64 // of the corpus scores
	Interval
	// P is the share of resamples in which the difference vanishes or has the other
	// sign, both tails together: small where it hardly depends on the images drawn.
	// It is never 0, since so many resamples cannot tell less than their own number.
	P float64
}

// Intervals returns an interval for each of the scores, which are of the same images.
// Its ends are NaN where the score says nothing of images that are drawn twice.
func (b Bootstrap) Intervals(scores []Score) ([]Interval, error) {
	drawn, err := b.resample(scores)
	if err != nil {
		return nil, err
	}
	intervals := make([]Interval, len(scores))
	for i, values := range drawn {
		intervals[i] = interval(values)
	}
	return intervals, nil
}

// Compare returns the differences of scores less baseline: two lists of the same keys,
// over the same images in the same order. Both systems are resampled together.
func (b Bootstrap) Compare(scores, baseline []Score) ([]Difference, error) {
	if len(scores) != len(baseline) {
		return nil, fmt.Errorf("bootstrap: %d scores against %d", len(scores), len(baseline))
	}
	drawn, err := b.resample(slices.Concat(scores, baseline))
	if err != nil {
		return nil, err
	}
	differences := make([]Difference, len(scores))
	for i, s := range scores {
		if s.Key != baseline[i].Key {
			return nil, fmt.Errorf("bootstrap: %s against %s", s.Key, baseline[i].Key)
		}
		values := drawn[i]
		for r, other := range drawn[len(scores)+i] {
			values[r] -= other
		}
		differences[i] = Difference{s.Key, s.Corpus - baseline[i].Corpus, interval(values), pValue(values)}
	}
	return differences, nil
}

// resample returns, for each score, its value in each resample.
func (b Bootstrap) resample(scores []Score) ([][]float64, error) {
	if b.Resamples < 1 {
		return nil, fmt.Errorf("bootstrap: %d resamples, want at least 1", b.Resamples)
	}
	if len(scores) == 0 {
		return nil, nil
	}
	images := scores[0].images
	if images == 0 {
		return nil, errors.New("bootstrap: no images")
	}
	drawn := make([][]float64, len(scores))
	for i, s := range scores {
		if s.images != images {
			return nil, fmt.Errorf("bootstrap: %s has %d images, %s has %d", s.Key, s.images, scores[0].Key, images)
		}
		drawn[i] = make([]float64, b.Resamples)
	}
	var all sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), b.Resamples)
	for first := range workers {
		all.Go(func() {
			times := make([]int32, images)
			for r := first; r < b.Resamples; r += workers {
				b.draw(times, r)
				for i, value := range overAll(scores, times) {
					drawn[i][r] = value
				}
			}
		})
	}
	all.Wait()
	return drawn, nil
}

// draw sets how many times each image is in resample r. Each resample has a generator of
// its own, so the number of workers does not matter.
func (b Bootstrap) draw(times []int32, r int) {
	random := rand.New(rand.NewPCG(b.Seed, uint64(r)))
	clear(times)
	for range times {
		times[random.IntN(len(times))]++
	}
}

// interval returns the percentiles 2.5 and 97.5 of the values, which it sorts. Where
// one of them is no number, neither are the percentiles.
func interval(values []float64) Interval {
	if slices.ContainsFunc(values, math.IsNaN) {
		return Interval{math.NaN(), math.NaN()}
	}
	slices.Sort(values)
	return Interval{percentile(values, 0.025), percentile(values, 0.975)}
}

// percentile interpolates between the sorted values, as NumPy does.
func percentile(sorted []float64, share float64) float64 {
	position := share * float64(len(sorted)-1)
	below := int(position)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (position-float64(below))*(sorted[above]-sorted[below])
}

// pValue counts the observed difference as one more resample (Davison and Hinkley 1997,
// section 4.2), on both sides of zero.
func pValue(differences []float64) float64 {
	down, up := 1, 1
	for _, d := range differences {
		if math.IsNaN(d) {
			return math.NaN()
		}
		if d <= 0 {
			down++
		}
		if d >= 0 {
			up++
		}
	}
	return min(1, 2*float64(min(down, up))/float64(len(differences)+1))
}
