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
// then asleep. One caller at a time is helped; others, meanwhile, work alone. To run
// allocates nothing.
type Team struct {
	size    int
	busy    sync.Mutex
	waiting atomic.Int32 // helpers asleep
	wake    chan struct{}
	closed  atomic.Bool

	// The current call of Run. What is written before begun is read by those alone who
	// took a part from it, and they have ended before the next call.
	do      func(worker, part int)
	begun   atomic.Uint64 // the number of parts, and below it how many have begun
	ended   atomic.Int64
	failure atomic.Pointer[failure]
}

type failure struct{ value any }

func (f *failure) err() error {
	if err, ok := f.value.(error); ok {
		return err
	}
	return fmt.Errorf("%v", f.value)
}

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
	if parts <= 1 || t.closed.Load() {
		return Alone(parts, do)
	}
	t.do = do
	t.failure.Store(nil)
	t.ended.Store(0)
	t.begun.Store(uint64(parts) << 32)
	for range min(int(t.waiting.Load()), parts-1) {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
	t.work(0)
	for spins := 0; t.ended.Load() < int64(parts); spins++ {
		pause(spins)
	}
	t.do = nil
	if f := t.failure.Load(); f != nil {
		return f.err()
	}
	return nil
}

// Alone is Run on the caller's thread.
func Alone(parts int, do func(worker, part int)) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = (&failure{r}).err()
		}
	}()
	for part := range parts {
		do(0, part)
	}
	return nil
}

// work works on parts until none is left to begin, and tells whether there was one.
func (t *Team) work(worker int) (worked bool) {
	for isLeft(t.begun.Load()) {
		// A helper that was held up before this line may take a part of a later call.
		taken := t.begun.Add(1) - 1
		if !isLeft(taken) {
			break
		}
		worked = true
		t.one(worker, int(uint32(taken)))
	}
	return worked
}

// isLeft tells whether more parts are to begin.
func isLeft(begun uint64) bool { return uint32(begun) < uint32(begun>>32) }

func (t *Team) one(worker, part int) {
	defer t.ended.Add(1)
	defer func() {
		if r := recover(); r != nil {
			t.failure.CompareAndSwap(nil, &failure{r})
		}
	}()
	if t.failure.Load() == nil {
		t.do(worker, part)
	}
}

// patience is how long a helper stays awake for the next instruction.
const patience = 100 * time.Microsecond

func (t *Team) help(worker int) {
	for !t.closed.Load() {
		idle := time.Now()
		for spins := 0; time.Since(idle) < patience; spins++ {
			if t.work(worker) {
				idle, spins = time.Now(), 0
			}
			pause(spins)
		}
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
