package engine

import "sync"

// Usage is what a graph's activations take, in bytes: what its instructions compute, its
// results and the parameters that it writes in place, but neither weights nor constants.
type Usage struct {
	Least int // that are in use at once, whatever the plan
	Taken int // by the plan: the arena and the memory of results
}

// usage is that of the graph that needs most, of those compiled so far.
type usage struct {
	mu   sync.Mutex
	most Usage
}

func (u *usage) note(of Usage) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if of.Least > u.most.Least {
		u.most = of
	}
}

// Usage returns that of the graph that needs most, of those compiled so far.
func (b *Backend) Usage() Usage {
	b.usage.mu.Lock()
	defer b.usage.mu.Unlock()
	return b.usage.most
}

// measure adds up what is in use at each instruction. Memory of results is in use from the
// first that writes it on, that of donated parameters always.
func (x *Executable) measure() Usage {
	n := len(x.instructions)
	u := Usage{Taken: roomy(x.arena)}
	change := make([]int, n+1)
	for _, s := range x.slots {
		switch {
		case s.kind == temporary && s.until >= 0:
			change[s.from] += s.bytes
			change[s.until+1] -= s.bytes
		case s.kind == output && n > 0:
			change[min(s.from, n-1)] += s.bytes
			u.Taken += roomy(s.bytes)
		case s.kind == adopted && n > 0:
			change[0] += s.bytes
			u.Taken += s.bytes
		}
	}
	now := 0
	for _, c := range change[:n] {
		now += c
		u.Least = max(u.Least, now)
	}
	return u
}
