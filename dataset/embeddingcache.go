package dataset

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// EmbeddingCache is a folder of embeddings that were computed once. Each file is named
// by its key, a digest of all that went into it, so that one made from other data, by
// another model or otherwise is not found rather than found wrong.
//
// A file is safetensors with one tensor, "embeddings", [N, E] float32. While it is
// computed it bears the ending .partial and its header tells how many rows are there
// and their checksum; a process that was killed goes on from those. It gets its name
// when it is whole and on disk. Anything here may be deleted while nobody trains.
type EmbeddingCache struct {
	Dir string
}

// cacheChunk is the number of rows that are computed between two notes of how far a
// file is. It is part of what a file holds: a row's last bits may depend on the rows
// that were computed along with it.
const cacheChunk = 256

// Open maps the embeddings of a key, rows of them, each of that width. Where they are
// not there yet, or damaged, it computes them first: fill returns the rows from one up
// to but without another and must be a function of those numbers. A second process
// that wants the same ones waits for the first.
func (c EmbeddingCache) Open(ctx context.Context, key string, rows, width int, fill func(ctx context.Context, from, to int) ([][]float32, error)) (*Embeddings, error) {
	if _, err := hex.DecodeString(key); err != nil || key == "" {
		return nil, fmt.Errorf("embeddings: the key %.80q is not hexadecimal", key)
	}
	if rows <= 0 || width <= 0 {
		return nil, fmt.Errorf("embeddings: %d rows of width %d", rows, width)
	}
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil, errors.New("embeddings: mapped files take a little-endian machine")
	}
	f := embeddingFile{path: filepath.Join(c.Dir, key), key: key, rows: rows, width: width}
	if f.valid(f.whole(), rows) {
		return f.open()
	}
	if err := os.MkdirAll(c.Dir, 0o777); err != nil {
		return nil, fmt.Errorf("embeddings: %w", err)
	}
	lock := flock.New(f.path + ".lock")
	if _, err := lock.TryLockContext(ctx, time.Second/4); err != nil {
		return nil, fmt.Errorf("embeddings: %w", err)
	}
	defer lock.Unlock()            // the process's end would do
	if !f.valid(f.whole(), rows) { // nobody else was at it meanwhile
		if err := f.make(ctx, fill); err != nil {
			return nil, fmt.Errorf("embeddings: %w", err)
		}
	}
	_ = os.Remove(lock.Path()) // who waits for it will find the file
	return f.open()
}

// embeddingFile is one file of a cache.
type embeddingFile struct {
	path        string // without its ending
	key         string
	rows, width int
}

func (f embeddingFile) whole() string   { return f.path + embeddingsEnding }
func (f embeddingFile) partial() string { return f.path + ".partial" }

func (f embeddingFile) open() (*Embeddings, error) {
	return mapEmbeddings(f.whole(), len(f.header(0, 0)), f.width)
}

const beforeSum, beforeDone = `{"__metadata__":{"crc32c":"`, `","done":"`

// header is the beginning of a file of which some rows are done, of one length
// throughout.
func (f embeddingFile) header(done int, sum uint32) []byte {
	text := fmt.Sprintf(`%s%08x%s%012d","key":"%s"},"embeddings":{"dtype":"F32","shape":[%d,%d],"data_offsets":[0,%d]}}`,
		beforeSum, sum, beforeDone, done, f.key, f.rows, f.width, int64(f.rows)*int64(f.width)*4)
	text += strings.Repeat(" ", -len(text)&7)
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
}

// valid tells whether a file holds at least so many of this file's rows, and every
// row that it tells of as it was written.
func (f embeddingFile) valid(path string, atLeast int) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	done, _, err := f.check(file)
	info, e := file.Stat()
	size := int64(len(f.header(0, 0))) + int64(f.rows)*int64(f.width)*4
	return errors.Join(err, e) == nil && done >= atLeast && info.Size() == size
}

// check reads how many rows a file holds, and holds them against their checksum.
func (f embeddingFile) check(file *os.File) (done int, sum uint32, err error) {
	header := make([]byte, len(f.header(0, 0)))
	if _, err := file.ReadAt(header, 0); err != nil {
		return 0, 0, err
	}
	format := beforeSum + "%08x" + beforeDone + "%012d"
	if _, err := fmt.Sscanf(string(header[8:]), format, &sum, &done); err != nil {
		return 0, 0, err
	}
	if !bytes.Equal(header, f.header(done, sum)) || done > f.rows {
		return 0, 0, errors.New("another header")
	}
	hash := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	size := int64(done) * int64(f.width) * 4
	if _, err := io.CopyBuffer(hash, io.NewSectionReader(file, int64(len(header)), size), make([]byte, 1<<20)); err != nil {
		return 0, 0, err
	}
	if hash.Sum32() != sum {
		return 0, 0, errors.New("another checksum")
	}
	return done, sum, nil
}

// make computes the rows that are missing and gives the file its name.
func (f embeddingFile) make(ctx context.Context, fill func(ctx context.Context, from, to int) ([][]float32, error)) (err error) {
	file, err := os.OpenFile(f.partial(), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if e := file.Close(); err == nil && e != nil && !errors.Is(e, fs.ErrClosed) {
			err = e
		}
	}()
	done, sum, err := f.check(file)
	if err != nil || done%cacheChunk != 0 && done != f.rows { // no file of ours, or a damaged one
		done, sum = 0, 0
	}
	for done < f.rows {
		to := min(done+cacheChunk, f.rows)
		rows, err := fill(ctx, done, to)
		if err != nil {
			return err
		}
		if sum, err = f.write(file, rows, done, to, sum); err != nil {
			return err
		}
		done = to
	}
	if err := file.Truncate(int64(len(f.header(0, 0))) + int64(f.rows)*int64(f.width)*4); err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(f.partial(), f.whole())
}

// write puts rows into their place, and then notes that they are there; it returns
// their checksum with that of all rows before.
func (f embeddingFile) write(file *os.File, rows [][]float32, from, to int, sum uint32) (uint32, error) {
	if len(rows) != to-from {
		return 0, fmt.Errorf("%d rows were computed, want %d", len(rows), to-from)
	}
	data := make([]byte, 0, len(rows)*f.width*4)
	for i, row := range rows {
		if err := checkRow(row, from+i, f.width); err != nil {
			return 0, err
		}
		for _, v := range row {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
	}
	at := int64(len(f.header(0, 0))) + int64(from)*int64(f.width)*4
	if _, err := file.WriteAt(data, at); err != nil {
		return 0, err
	}
	sum = crc32.Update(sum, crc32.MakeTable(crc32.Castagnoli), data)
	_, err := file.WriteAt(f.header(to, sum), 0)
	return sum, err
}
