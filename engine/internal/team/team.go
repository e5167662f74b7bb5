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
//
// Each worker has a range of the parts that it begins with, the same share of every task, so
// that what it wrote in one is in its processor's cache when it reads that in the next.
type Team struct {
	size    int
	busy    sync.Mutex
	waiting atomic.Int32 // helpers asleep
	wake    chan struct{}
	closed  atomic.Bool

	// The current call of Run. What is written before lanes are set is read by those alone
	// who took a part from one, and they have ended before the next call.
	do      func(worker, part int)
	lanes   []lane // by worker
	ended   atomic.Int64
	failure atomic.Pointer[failure]
}

// lane is a range of parts, which its worker takes from the front and others from the back,
// so that what a worker's processor expects to come next stays its.
type lane struct {
	left atomic.Uint64 // the end of those that have not begun, and below that the first
	_    [120]byte     // to the cache line behind the next, which comes along with this one
}

func (l *lane) set(first, end int) { l.left.Store(uint64(end)<<32 | uint64(first)) }

// first takes the first part that is left.
func (l *lane) first() (part int, ok bool) {
	if left := l.left.Load(); uint32(left) >= uint32(left>>32) {
		return 0, false
	}
	// A helper that was held up before this line may take a part of a later call.
	left := l.left.Add(1) - 1
	return int(uint32(left)), uint32(left) < uint32(left>>32)
}

// last takes the last part that is left.
func (l *lane) last() (part int, ok bool) {
	for {
		left := l.left.Load()
		if uint32(left) >= uint32(left>>32) {
			return 0, false
		}
		if l.left.CompareAndSwap(left, left-1<<32) {
			return int(left>>32) - 1, true
		}
	}
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
	size = max(size, 1)
	t := &Team{size: size, wake: make(chan struct{}, size), lanes: make([]lane, size)}
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
// must be called between Lock and Unlock. Each worker takes parts of its own range
// one after another, then what others have not begun, so that a thread held up elsewhere
// holds up nothing else. The first panic of a part comes back as an error.
func (t *Team) Run(parts int, do func(worker, part int)) error {
	if parts <= 1 || t.closed.Load() {
		return Alone(parts, do)
	}
	t.do = do
	t.failure.Store(nil)
	t.ended.Store(0)
	for i := t.size - 1; i >= 0; i-- { // so that helpers, awake and looking, find their own first
		t.lanes[i].set(parts*i/t.size, parts*(i+1)/t.size)
	}
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
	own := &t.lanes[worker]
	for part, ok := own.first(); ok; part, ok = own.first() {
		worked = true
		t.one(worker, part)
	}
	for i := 1; i < t.size; i++ {
		other := &t.lanes[(worker+i)%t.size]
		for part, ok := other.last(); ok; part, ok = other.last() {
			worked = true
			t.one(worker, part)
		}
	}
	return worked
}

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
