// Package bench measures where a captioner's time goes, stage by stage, and what the
// machine could do at best.
package bench

import (
	"context"
	"slices"
	"time"
)

// Times are what one piece of work took in several runs, in milliseconds.
type Times struct {
	Median   float64 `json:"ms"`
	Fastest  float64 `json:"ms_fastest"`
	Slowest  float64 `json:"ms_slowest"`
	Measured int     `json:"runs"`
}

// Repeats says how often work is done: WarmUp times first, which compile what has to
// be compiled, then Runs times that count.
type Repeats struct{ WarmUp, Runs int }

// job does one piece of work and returns how long its part that counts took.
type job func(ctx context.Context) (time.Duration, error)

// measure repeats work until it fails or ctx ends.
func (r Repeats) measure(ctx context.Context, work job) (Times, error) {
	took := make([]float64, 0, r.Runs)
	for i := range r.WarmUp + r.Runs {
		if err := ctx.Err(); err != nil {
			return Times{}, err
		}
		elapsed, err := work(ctx)
		if err != nil {
			return Times{}, err
		}
		if i >= r.WarmUp {
			took = append(took, float64(elapsed)/float64(time.Millisecond))
		}
	}
	slices.Sort(took)
	return Times{Median: median(took), Fastest: took[0], Slowest: took[len(took)-1], Measured: len(took)}, nil
}

// median is that of sorted values, of which there is at least one.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// whole makes a job of work all of which counts.
func whole(work func(ctx context.Context) error) job {
	return func(ctx context.Context) (time.Duration, error) {
		start := time.Now()
		err := work(ctx)
		return time.Since(start), err
	}
}
