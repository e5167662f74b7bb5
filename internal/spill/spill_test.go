package spill

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"
)

// TestFile holds that a file of any size gives back what was written, wherever it is
// read, and leaves nothing behind.
func TestFile(t *testing.T) {
	for _, size := range []int{0, 1, memory, memory + 1, 3*memory + 7} {
		dir := t.TempDir()
		t.Setenv("TMPDIR", dir)
		random := rand.New(rand.NewPCG(1, uint64(size)))
		want := make([]byte, size)
		for i := range want {
			want[i] = byte(random.Uint32())
		}
		var f File
		for rest := want; len(rest) > 0; {
			n := min(len(rest), 1+random.IntN(100_000))
			if _, err := f.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if f.Size() != int64(size) || (f.file != nil) != (size > memory) {
			t.Errorf("%d bytes: size %d, on disk %v", size, f.Size(), f.file != nil)
		}
		for range 200 {
			at := random.IntN(size + 2)
			p := make([]byte, random.IntN(2*memory))
			n, err := f.ReadAt(p, int64(at))
			due := want[min(at, size):min(at+len(p), size)]
			if !bytes.Equal(p[:n], due) || (err != nil) != (n < len(p)) || err != nil && !errors.Is(err, io.EOF) {
				t.Fatalf("%d bytes: %d at %d gives %d, want %d, %v", size, len(p), at, n, len(due), err)
			}
		}
		if err := f.Close(); err != nil || f.Size() != 0 {
			t.Errorf("%d bytes: closed with size %d, %v", size, f.Size(), err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%d bytes: left behind %v, %v", size, left, err)
		}
	}
}

// TestNoPlace holds that a disk that cannot be written is an error, and that little
// needs none.
func TestNoPlace(t *testing.T) {
	t.Setenv("TMPDIR", "no such folder")
	var f File
	if _, err := f.Write(make([]byte, memory)); err != nil {
		t.Errorf("what fits in memory: %v", err)
	}
	if _, err := f.Write([]byte{1}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what does not: %v", err)
	}
}
