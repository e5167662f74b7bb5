// Package spill keeps more bytes than memory should hold: beyond a few, in a file.
package spill

import (
	"errors"
	"io"
	"os"
)

// memory is how many bytes a File holds that are not on disk.
const memory = 4 << 20

// File takes bytes at its end and gives them anywhere. The first 4 MiB stay in memory,
// so that little needs no disk; with more, all but the last 4 MiB are in a temporary
// file without a name, which vanishes with the program, however that ends. (Windows
// keeps the name until Close.) The zero File is empty. It is no use to several
// goroutines while one of them writes.
type File struct {
	file    *os.File
	written int64  // bytes in the file
	rest    []byte // those after them
}

// Write appends p.
func (f *File) Write(p []byte) (int, error) {
	if len(f.rest)+len(p) > memory {
		if err := f.flush(); err != nil {
			return 0, err
		}
	}
	f.rest = append(f.rest, p...)
	return len(p), nil
}

func (f *File) flush() error {
	if f.file == nil {
		file, err := os.CreateTemp("", "cutline-*")
		if err != nil {
			return err
		}
		_ = os.Remove(file.Name()) // impossible on Windows as long as it is open
		f.file = file
	}
	n, err := f.file.WriteAt(f.rest, f.written)
	f.written += int64(n)
	f.rest = f.rest[:copy(f.rest, f.rest[n:])]
	return err
}

// Size returns the number of bytes written.
func (f *File) Size() int64 { return f.written + int64(len(f.rest)) }

// ReadAt reads as [io.ReaderAt] says.
func (f *File) ReadAt(p []byte, offset int64) (n int, err error) {
	if offset < f.written {
		n, err = f.file.ReadAt(p[:min(int64(len(p)), f.written-offset)], offset)
		if err != nil {
			return n, err
		}
	}
	if after := offset + int64(n) - f.written; n < len(p) && after < int64(len(f.rest)) {
		n += copy(p[n:], f.rest[after:])
	}
	if n < len(p) {
		err = io.EOF
	}
	return n, err
}

// Close frees the memory and the disk.
func (f *File) Close() error {
	file := f.file
	*f = File{}
	if file == nil {
		return nil
	}
	err := file.Close()
	if gone := os.Remove(file.Name()); gone != nil && !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}
