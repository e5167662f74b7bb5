package team

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

func TestRunDoesEachPartOnce(t *testing.T) {
	for _, size := range []int{1, 2, 5} {
		team := New(size)
		for parts := range 200 {
			if parts%50 == 49 {
				time.Sleep(time.Millisecond) // let helpers fall asleep
			}
			done := make([]atomic.Int32, parts)
			run := Alone
			if team.Lock() {
				run = team.Run
			}
			err := run(parts, func(worker, part int) {
				if worker < 0 || worker >= team.Size() {
					t.Errorf("worker %d of %d", worker, team.Size())
				}
				done[part].Add(1)
			})
			if err != nil {
				t.Fatal(err)
			}
			for part := range done {
				if n := done[part].Load(); n != 1 {
					t.Fatalf("part %d of %d ran %d times", part, parts, n)
				}
			}
			if size > 1 {
				team.Unlock()
			}
		}
		team.Close()
	}
}

func TestPanicComesBack(t *testing.T) {
	team := New(3)
	defer team.Close()
	if !team.Lock() {
		t.Fatal("a new team is busy")
	}
	defer team.Unlock()
	broken := errors.New("broken")
	if err := team.Run(100, func(_, part int) {
		if part == 7 {
			panic(broken)
		}
	}); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if err := team.Run(100, func(int, int) {}); err != nil {
		t.Errorf("after a panic: %v", err)
	}
	if team.Lock() {
		t.Error("a busy team helps twice")
	}
}

// TestLanes: a worker takes its parts from the front, others from the back, each part once.
func TestLanes(t *testing.T) {
	var l lane
	l.set(3, 7)
	var got []int
	for _, take := range []func() (int, bool){l.first, l.last, l.last, l.first} {
		part, ok := take()
		if !ok {
			t.Fatalf("after %v none is left", got)
		}
		got = append(got, part)
	}
	if want := []int{3, 6, 5, 4}; !slices.Equal(got, want) {
		t.Errorf("parts %v, want %v", got, want)
	}
	for range 2 {
		if part, ok := l.first(); ok {
			t.Errorf("part %d is left over", part)
		}
		if part, ok := l.last(); ok {
			t.Errorf("part %d is left over", part)
		}
	}
}
