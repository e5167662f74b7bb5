package clipcap_test

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"

	"github.com/cutline-go/cutline/engine"
)

// counted is this project's engine. It counts the buffers that nobody has finalized, and
// what the engine itself allocates while graphs run.
type counted struct {
	compute.Backend
	live    atomic.Int64 // buffers
	mallocs uint64       // within executions, of which no two may run at once
}

func newCounted(t testing.TB) *counted {
	b, err := engine.New(engine.FromEnvironment())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return &counted{Backend: b}
}

func (c *counted) Builder(name string) compute.Builder {
	return countedBuilder{c.Backend.Builder(name), c}
}

func (c *counted) BufferFromFlatData(device compute.DeviceNum, flat any, shape shapes.Shape) (compute.Buffer, error) {
	b, err := c.Backend.BufferFromFlatData(device, flat, shape)
	return c.count(b), err
}

func (c *counted) count(b compute.Buffer) compute.Buffer {
	if b == nil {
		return nil
	}
	c.live.Add(1)
	return &countedBuffer{Buffer: b, owner: c}
}

type countedBuilder struct {
	compute.Builder
	owner *counted
}

func (b countedBuilder) Compile() (compute.Executable, error) {
	x, err := b.Builder.Compile()
	return countedExecutable{x, b.owner}, err
}

type countedExecutable struct {
	compute.Executable
	owner *counted
}

func (x countedExecutable) Execute(inputs []compute.Buffer, donate []bool, device compute.DeviceNum) ([]compute.Buffer, error) {
	own := make([]compute.Buffer, len(inputs))
	for i, in := range inputs {
		b := in.(*countedBuffer)
		if own[i] = b.Buffer; donate[i] {
			b.end()
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out, err := x.Executable.Execute(own, donate, device)
	runtime.ReadMemStats(&after)
	atomic.AddUint64(&x.owner.mallocs, after.Mallocs-before.Mallocs)
	for i, b := range out {
		out[i] = x.owner.count(b)
	}
	return out, err
}

type countedBuffer struct {
	compute.Buffer
	owner *counted
	gone  atomic.Bool
}

func (b *countedBuffer) Backend() compute.Backend { return b.owner }

func (b *countedBuffer) Finalize() error {
	b.end()
	return b.Buffer.Finalize()
}

func (b *countedBuffer) end() {
	if !b.gone.Swap(true) {
		b.owner.live.Add(-1)
	}
}
