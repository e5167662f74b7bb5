package weights

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strings"

	"github.com/cutline-go/cutline/internal/pickle"
)

// archive is the zip file of torch.save: entries under one folder of any
// name, stored without compression so that they can be mapped.
type archive struct {
	data     []byte // the whole file
	folder   string // with its slash
	files    map[string]*zip.File
	inflated map[string][]byte // entries that somebody's zip program packed
	budget   *pickle.Budget
}

// maxDirectory bounds the zip directory, of which torch writes about 70 bytes
// for each tensor and archive/zip makes five times as much.
const maxDirectory = 1 << 20

// costEntry is the memory of an entry, beside its name.
const costEntry = 320

// openArchive reads the zip directory and finds the folder that holds data.pkl.
func openArchive(data []byte, b *pickle.Budget) (*archive, error) {
	source := &directoryReader{data: bytes.NewReader(data), left: maxDirectory}
	dir, err := zip.NewReader(source, int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("zip directory: %w", err)
	}
	source.left = math.MaxInt // what is read from here on is local headers
	a := &archive{data: data, files: make(map[string]*zip.File, len(dir.File)), inflated: map[string][]byte{}, budget: b}
	for _, f := range dir.File {
		if err := b.Take(costEntry + len(f.Name)); err != nil {
			return nil, err
		}
		if !fs.ValidPath(strings.TrimSuffix(f.Name, "/")) || strings.Contains(f.Name, `\`) {
			return nil, fmt.Errorf("zip entry %.80q: not a plain path", f.Name)
		}
		if _, ok := a.files[f.Name]; ok {
			return nil, fmt.Errorf("zip entry %.80q: named twice", f.Name)
		}
		a.files[f.Name] = f
		folder, ok := strings.CutSuffix(f.Name, "data.pkl")
		if !ok || strings.IndexByte(folder, '/') != len(folder)-1 || folder == "" {
			continue
		}
		if a.folder != "" {
			return nil, fmt.Errorf("two state dicts, in %.80q and %.80q", a.folder, folder)
		}
		a.folder = folder
	}
	if a.folder == "" {
		return nil, errors.New("a zip file without data.pkl, which torch.save writes")
	}
	return a, nil
}

// has tells whether the folder holds an entry.
func (a *archive) has(name string) bool {
	_, ok := a.files[a.folder+name]
	return ok
}

// entry returns the bytes of an entry, in place where they are stored.
func (a *archive) entry(name string) ([]byte, error) {
	f, ok := a.files[a.folder+name]
	if !ok {
		return nil, fmt.Errorf("zip entry %.80q is missing", a.folder+name)
	}
	raw, err := a.raw(f)
	if err == nil && f.Method != zip.Store {
		raw, err = a.inflate(f, len(raw))
	}
	if err != nil {
		return nil, fmt.Errorf("zip entry %.80q: %w", f.Name, err)
	}
	return raw, nil
}

// raw returns the bytes of an entry as they lie in the file.
func (a *archive) raw(f *zip.File) ([]byte, error) {
	const encrypted = 1
	switch {
	case f.Flags&encrypted != 0:
		return nil, errors.New("encrypted")
	case f.Method == zip.Store && f.CompressedSize64 != f.UncompressedSize64:
		return nil, fmt.Errorf("stored as %d bytes, but %d long", f.CompressedSize64, f.UncompressedSize64)
	}
	offset, err := f.DataOffset()
	if err != nil {
		return nil, err
	}
	size := uint64(len(a.data))
	if offset < 0 || uint64(offset) > size || f.CompressedSize64 > size-uint64(offset) {
		return nil, fmt.Errorf("%d bytes at %d, but the file has %d", f.CompressedSize64, offset, size)
	}
	end := uint64(offset) + f.CompressedSize64
	return a.data[offset:end:end], nil
}

// inflate unpacks a compressed entry, once. Its size counts against the
// budget before anything is unpacked.
func (a *archive) inflate(f *zip.File, packed int) ([]byte, error) {
	if out, ok := a.inflated[f.Name]; ok {
		return out, nil
	}
	// Deflate packs at most 258 bytes into two bits.
	if most := min(1032*uint64(packed), math.MaxInt); f.UncompressedSize64 > most {
		return nil, fmt.Errorf("%d bytes cannot unpack to %d", packed, f.UncompressedSize64)
	}
	if err := a.budget.Take(int(f.UncompressedSize64) + costInflate); err != nil {
		return nil, err
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out := make([]byte, f.UncompressedSize64)
	if _, err := io.ReadFull(r, out); err != nil {
		return nil, err
	}
	// The end of the stream is where the reader compares the checksum.
	switch n, err := r.Read(make([]byte, 1)); {
	case n > 0:
		return nil, fmt.Errorf("unpacks to more than %d bytes", len(out))
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	a.inflated[f.Name] = out
	return out, nil
}

// costInflate is the window and the tables of the decompressor.
const costInflate = 64 << 10

// directoryReader stops archive/zip from reading, and so from allocating for,
// a directory without end.
type directoryReader struct {
	data *bytes.Reader
	left int
}

// ReadAt reads like the file until left bytes were read.
func (d *directoryReader) ReadAt(p []byte, offset int64) (int, error) {
	n, err := d.data.ReadAt(p, offset)
	if d.left -= n; d.left < 0 {
		return 0, fmt.Errorf("larger than %d bytes", maxDirectory)
	}
	return n, err
}
