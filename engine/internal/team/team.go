// Package team runs the parts of a task on several threads.
package team

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Team is a fixed number of goroutines that wait for work: a short while awake,
// then asleep. One caller at a time is helped; others, meanwhile, work alone.
type Team struct {
	size    int
	busy    sync.Mutex
	work    atomic.Pointer[work]
	waiting atomic.Int32 // helpers asleep
	wake    chan struct{}
	closed  atomic.Bool
}

// work is one call of Run.
type work struct {
	do      func(worker, part int)
	parts   int64
	next    atomic.Int64 // part to begin
	ended   atomic.Int64 // parts ended
	failure atomic.Pointer[failure]
}

type failure struct{ value any }

// New starts a team of size threads, that of the caller among them.
func New(size int) *Team {
	t := &Team{size: max(size, 1), wake: make(chan struct{}, max(size, 1))}
	for worker := 1; worker < t.size; worker++ {
		go t.help(worker)
	}
	return t
}

// Size is the number of workers: Run numbers them from 0.
func (t *Team) Size() int { return t.size }

// Close ends the helpers; Run goes on to work, on the caller's thread alone.
func (t *Team) Close() {
	t.busy.Lock()
	defer t.busy.Unlock()
	if !t.closed.Swap(true) {
		close(t.wake)
	}
}

// Lock makes the team help the caller's runs until Unlock, if it is free.
func (t *Team) Lock() bool { return t.size > 1 && t.busy.TryLock() }

// Unlock ends what Lock began.
func (t *Team) Unlock() { t.busy.Unlock() }

// Run calls do for each part in [0, parts) and returns when all have ended. It
// must be called between Lock and Unlock. Parts are taken one after another by
// whoever is free, so that a thread held up elsewhere holds up nothing else. The
// first panic of a part comes back as an error.
func (t *Team) Run(parts int, do func(worker, part int)) error {
	if parts == 1 || t.closed.Load() {
		return Alone(parts, do)
	}
	w := &work{do: do, parts: int64(parts)}
	t.work.Store(w)
	for range min(int(t.waiting.Load()), parts-1) {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
	w.run(0)
	for spins := 0; w.ended.Load() < w.parts; spins++ {
		pause(spins)
	}
	t.work.Store(nil)
	return w.err()
}

// Alone is Run on the caller's thread.
func Alone(parts int, do func(worker, part int)) error {
	w := &work{do: do, parts: int64(parts)}
	w.run(0)
	return w.err()
}

func (w *work) err() error {
	if f := w.failure.Load(); f != nil {
		if err, ok := f.value.(error); ok {
			return err
		}
		return fmt.Errorf("%v", f.value)
	}
	return nil
}

// run works on parts until none is left to begin.
func (w *work) run(worker int) {
	for {
		part := w.next.Add(1) - 1
		if part >= w.parts {
			return
		}
		w.one(worker, int(part))
	}
}

func (w *work) one(worker, part int) {
	defer w.ended.Add(1)
	defer func() {
		if r := recover(); r != nil {
			w.failure.CompareAndSwap(nil, &failure{r})
		}
	}()
	if w.failure.Load() == nil {
		w.do(worker, part)
	}
}

// patience is how long a helper stays awake for the next instruction.
const patience = 100 * time.Microsecond

func (t *Team) help(worker int) {
	for !t.closed.Load() {
		var last *work
		idle := time.Now()
		for spins := 0; time.Since(idle) < patience; spins++ {
			if w := t.work.Load(); w != nil && w != last {
				w.run(worker)
				last, idle, spins = w, time.Now(), 0
			}
			pause(spins)
		}
		last = nil
		t.waiting.Add(1)
		<-t.wake
		t.waiting.Add(-1)
	}
}

// pause spins a little, then lets others have the processor: goroutines of this
// process and, where the system has a call for that, other processes.
func pause(spins int) {
	if spins%64 == 63 {
		runtime.Gosched()
		yield()
	}
}
