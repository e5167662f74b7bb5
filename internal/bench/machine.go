package bench

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Machine is what the machine could do at best while it was measured.
type Machine struct {
	Read    float64 `json:"read_gb_per_s"`  // memory read, by all threads
	Triad   float64 `json:"triad_gb_per_s"` // a = b + s·c, the bytes of all three
	GFLOPS  float64 `json:"gflop_per_s"`    // of the engine's fastest square product
	Product int     `json:"product"`        // the side of its matrices
}

// MeasureMachine measures memory with plain Go on buffers of so many bytes, which should
// be more than the processor's cache has, and the engine with products of square
// matrices up to the given side.
func MeasureMachine(ctx context.Context, r Repeats, engine compute.Backend, buffer, side int) (Machine, error) {
	var m Machine
	var err error
	if m.Read, err = read(ctx, r, buffer); err != nil {
		return m, err
	}
	if m.Triad, err = triad(ctx, r, buffer); err != nil {
		return m, err
	}
	for n := side; n >= min(side, 256); n /= 2 {
		gflops, err := product(ctx, r, engine, n)
		if err != nil {
			return m, err
		}
		if gflops > m.GFLOPS {
			m.GFLOPS, m.Product = gflops, n
		}
	}
	return m, nil
}

// read looks for a byte that is not there, which Go does with vector instructions.
func read(ctx context.Context, r Repeats, buffer int) (float64, error) {
	data := make([]byte, buffer)
	for i := range data {
		data[i] = 1 // an untouched page would be the one page of zeros
	}
	times, err := r.measure(ctx, whole(func(context.Context) error {
		var found error
		inParts(len(data), func(from, to int) {
			if bytes.IndexByte(data[from:to], 0) >= 0 {
				found = errors.New("memory does not hold what was written")
			}
		})
		return found
	}))
	return gigabytes(buffer, times), err
}

func triad(ctx context.Context, r Repeats, buffer int) (float64, error) {
	n := buffer / 8
	a, b, c := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		a[i], b[i], c[i] = 1, 2, 3
	}
	times, err := r.measure(ctx, whole(func(context.Context) error {
		inParts(n, func(from, to int) {
			a, b, c := a[from:to], b[from:to], c[from:to]
			for i := range a {
				a[i] = b[i] + 3*c[i]
			}
		})
		return nil
	}))
	return gigabytes(3*buffer, times), err
}

// inParts runs work on n items in as many parts, side by side, as Go has threads.
func inParts(n int, work func(from, to int)) {
	parts := runtime.GOMAXPROCS(0)
	var all sync.WaitGroup
	for i := range parts {
		all.Go(func() { work(n*i/parts, n*(i+1)/parts) })
	}
	all.Wait()
}

// product returns the billions of operations a second, a multiplication and an addition
// counted apart, of a product of n×n matrices.
func product(ctx context.Context, r Repeats, engine compute.Backend, n int) (float64, error) {
	exec, err := NewExec(engine, func(a, b *Node) *Node { return MatMul(a, b) })
	if err != nil {
		return 0, err
	}
	defer exec.Finalize()
	values := make([]float32, n*n)
	for i := range values {
		values[i] = float32(i%997)/997 - 0.5
	}
	a, b := tensors.FromFlatDataAndDimensions(values, n, n), tensors.FromFlatDataAndDimensions(values, n, n)
	defer func() { _, _ = a.FinalizeAll(), b.FinalizeAll() }()
	times, err := r.measure(ctx, whole(func(context.Context) error {
		out, err := exec.Call(a, b)
		if err != nil {
			return err
		}
		return out[0].FinalizeAll()
	}))
	if err != nil {
		return 0, err
	}
	return 2 * float64(n) * float64(n) * float64(n) / times.Fastest / 1e6, nil
}

// gigabytes is the rate of the fastest run: what disturbs one only slows it down.
func gigabytes(bytes int, t Times) float64 { return float64(bytes) / t.Fastest / 1e6 }
