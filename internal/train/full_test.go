//go:build linux

package train_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"

	"github.com/cutline-go/cutline/internal/train"
)

// fullVariable makes the test below a process whose files may not grow: it holds a
// folder to train into.
const fullVariable = "CUTLINE_TEST_FULL_DISK"

// TestFullDisk lets writing fail, as on a disk that is full, from an update on: the
// error says so, and with room again the run ends as if nothing had been.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv(fullVariable); dir != "" {
		trainWithoutRoom(t, dir)
		return
	}
	want, _ := finish(t, t.TempDir())
	for _, room := range []int{0, 100, 400} {
		for _, log := range []string{"1", "100"} { // then it is the checkpoint that does not fit
			dir := t.TempDir()
			child := exec.Command(os.Args[0], "-test.run=^TestFullDisk$")
			child.Env = append(os.Environ(), fullVariable+"="+dir, "ROOM="+strconv.Itoa(room), "LOG_EVERY="+log)
			if out, err := child.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			got, _ := finish(t, dir)
			same(t, got, want)
		}
	}
}

// trainWithoutRoom trains, and after nine updates no file may be larger than ROOM bytes.
func trainWithoutRoom(t *testing.T, dir string) {
	room, err := strconv.Atoi(os.Getenv("ROOM"))
	if err != nil {
		t.Fatal(err)
	}
	p := plan(dir)
	if p.LogEvery, err = strconv.Atoi(os.Getenv("LOG_EVERY")); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	store, method := newRegression(t, optimizer())
	_, err = train.Loop(context.Background(), p, store, method, batch, func(p train.Progress) {
		if p.Done == 9 {
			err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(room), Max: uint64(room)})
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	if !errors.Is(err, syscall.EFBIG) {
		t.Fatalf("the run ended with %v", err)
	}
}
