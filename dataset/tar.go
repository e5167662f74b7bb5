package dataset

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// Tar is an uncompressed tar archive that was indexed once and is read at random.
// It is safe for concurrent use until Close.
type Tar struct {
	file  *os.File
	index map[string]span
}

type span struct{ offset, size int64 }

// maxEntries bounds the index of an archive.
const maxEntries = 10_000_000

// OpenTar indexes the archive at path. Links, sparse files, names that lead out of the
// archive and names that come twice are refused, and so is an archive without a file.
func OpenTar(path string) (*Tar, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t := &Tar{file: file, index: make(map[string]span)}
	err = t.read()
	if err == nil && len(t.index) == 0 {
		err = errors.New("no files in the archive")
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

func (t *Tar) read() error {
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	reader := tar.NewReader(t.file)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := t.add(header, info.Size()); err != nil {
			return fmt.Errorf("entry %.80q: %w", header.Name, err)
		}
	}
}

func (t *Tar) add(header *tar.Header, fileSize int64) error {
	switch {
	case header.Typeflag == tar.TypeDir, header.Typeflag == tar.TypeXGlobalHeader:
		return nil
	case header.Typeflag != tar.TypeReg:
		return errors.New("not a regular file")
	case isSparse(header):
		return errors.New("sparse files are not supported")
	}
	name := path.Clean(header.Name)
	if !fs.ValidPath(name) {
		return errors.New("its name leads out of the archive")
	}
	if _, twice := t.index[name]; twice {
		return errors.New("comes twice")
	}
	if len(t.index) == maxEntries {
		return fmt.Errorf("more than %d entries", maxEntries)
	}
	// After a header the file stands at the entry's first byte.
	offset, err := t.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if header.Size > fileSize-offset {
		return fmt.Errorf("%d bytes, but the archive ends after %d", header.Size, fileSize-offset)
	}
	t.index[name] = span{offset, header.Size}
	return nil
}

// isSparse tells whether the file is stored without its holes, so that its bytes
// cannot be read as they lie. (GNU's older form has a type of its own.)
func isSparse(header *tar.Header) bool {
	for key := range header.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// Open returns the photo of that name, as [Photos] has it.
func (t *Tar) Open(name string) (io.ReadCloser, error) {
	s, ok := t.index[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return io.NopCloser(io.NewSectionReader(t.file, s.offset, s.size)), nil
}

// Names lists the photos, sorted.
func (t *Tar) Names() []string { return slices.Sorted(maps.Keys(t.index)) }

// Close closes the archive.
func (t *Tar) Close() error { return t.file.Close() }

var _ Photos = (*Tar)(nil)
