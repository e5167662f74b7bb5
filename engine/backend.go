// Package engine is a GoMLX engine (compute.Backend) in pure Go with assembly
// kernels. It computes float32 networks natively; an operation or data type that
// it lacks runs in GoMLX's own Go engine, one operation at a time, and is counted.
//
// The way of a graph: function records its operations (capture_gen.go, node.go),
// planner drops dead ones, joins elementwise ones to programs, turns the rest into
// instructions over strided views and gives each its memory (planner.go, slot.go),
// and Executable runs them (executable.go). Each operation stands in one file,
// op_….go, with its shape and its instruction; table.go lists them.
//
// Results have the same bits for any number of threads and from run to run.
package engine

//go:generate go run ./internal/capture

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"

	"github.com/cutline-go/cutline/engine/internal/kernels"
	"github.com/cutline-go/cutline/engine/internal/team"
)

// Name is the engine's name among GoMLX's backends.
const Name = "cutline"

// Options of a Backend. The zero value is the fastest for inference.
type Options struct {
	// Kernels names a set of kernels: amx, avx512, avx2, neon or portable; "" is the fastest
	// that the processor runs.
	Kernels string
	// Threads bounds the threads of one execution; 0 stands for GOMAXPROCS.
	Threads int
	// Training refuses fused operations, which a graph with gradients would compute
	// beside their decomposed twins, and multiplies by a matrix unit where there is one.
	Training bool
}

// FromEnvironment returns the options that environment variables set:
// CUTLINE_KERNELS the kernels.
func FromEnvironment() Options { return Options{Kernels: os.Getenv(kernels.Variable)} }

// Kernels names the sets of kernels that this processor runs, the fastest first.
func Kernels() []string {
	var names []string
	for _, s := range kernels.Sets() {
		names = append(names, s.Name)
	}
	return names
}

// Backend is the engine. It is safe for concurrent use.
type Backend struct {
	options   Options
	kernels   *kernels.Set
	team      *team.Team
	ops       map[compute.OpType]op
	fallback  *fallback
	memory    memory
	usage     usage
	natives   atomic.Int64 // operations compiled that are not left to another engine
	finalized atomic.Bool
}

var _ compute.Backend = (*Backend)(nil)

// New opens an engine.
func New(o Options) (*Backend, error) {
	set, err := kernels.Choose(o.Kernels)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	// Operations in parallel, its default, deadlock in large graphs.
	other, err := gobackend.New("ops_sequential")
	if err != nil {
		return nil, fmt.Errorf("engine: opening the engine for other operations: %w", err)
	}
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	return &Backend{
		options: o, kernels: set, team: team.New(o.Threads), ops: table(), fallback: newFallback(other),
		memory: memory{keep: keeps(o.Training)},
	}, nil
}

// Name returns "cutline".
func (b *Backend) Name() string { return Name }

// String returns "cutline".
func (b *Backend) String() string { return Name }

// Description says which kernels run, on how many threads, and how many of the
// operations compiled so far are left to GoMLX's Go engine.
func (b *Backend) Description() string {
	left := ""
	names := slices.Sorted(maps.Keys(b.Fallbacks()))
	if len(names) > 0 {
		left = ", but for " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("pure Go with %s kernels, %d threads, %d operations native%s",
		b.kernels.Name, b.options.Threads, b.natives.Load(), left)
}

// NumDevices returns 1.
func (b *Backend) NumDevices() int { return 1 }

// DeviceDescription describes the only device.
func (b *Backend) DeviceDescription(compute.DeviceNum) string { return "CPU" }

// Capabilities lists what can be asked for, natively run or not.
func (b *Backend) Capabilities() compute.Capabilities {
	other := b.fallback.engine.Capabilities()
	c := compute.Capabilities{
		Functions: true, DTypes: maps.Clone(other.DTypes), Operations: maps.Clone(other.Operations),
	}
	for op := range b.ops {
		c.Operations[op] = true
	}
	for op := range c.Operations {
		if refused(op) || b.options.Training && fused(op) {
			delete(c.Operations, op)
		}
	}
	return c
}

// Builder begins a graph.
func (b *Backend) Builder(name string) compute.Builder { return newBuilder(b, name) }

// Fallbacks counts, by operation, the instructions that graphs compiled so far
// leave to GoMLX's Go engine.
func (b *Backend) Fallbacks() map[string]int { return b.fallback.snapshot() }

// HasSharedBuffers returns false: a buffer that others could change would make its
// packed copy wrong.
func (b *Backend) HasSharedBuffers() bool { return false }

// NewSharedBuffer is refused.
func (b *Backend) NewSharedBuffer(compute.DeviceNum, shapes.Shape) (compute.Buffer, any, error) {
	return nil, nil, fmt.Errorf("engine: shared buffers: %w", compute.ErrNotImplemented)
}

// Finalize ends the engine's threads.
func (b *Backend) Finalize() {
	if b.finalized.CompareAndSwap(false, true) {
		b.team.Close()
		b.fallback.engine.Finalize()
	}
}

// IsFinalized tells whether Finalize was called.
func (b *Backend) IsFinalized() bool { return b.finalized.Load() }
