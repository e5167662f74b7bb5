// Package weights reads and writes files of named tensors: safetensors, and
// the zip files that torch.save writes.
//
// Files come from strangers, so both readers are strict and bounded: each
// length is checked against what is left of the file, and opening a file
// allocates at most 64 MB plus four times its size, whatever it says of itself.
package weights

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/edsrzf/mmap-go"
)

// File is a set of named tensors over a memory-mapped file or bytes in memory.
// Neither must be written to while it is open; replacing a file by rename is
// fine. A File may be read from several goroutines at once, until Close.
type File struct {
	mapping  mmap.MMap // nil for bytes in memory
	tensors  []Tensor  // by name
	metadata map[string]string
}

// Open maps the file at path and reads its directory of tensors. The content
// decides the format, not the name: safetensors, or the state dict that
// torch.save wrote as a zip file. Of a training checkpoint it reads the one
// dict of tensors below the top level, whose key the names do not repeat;
// where there are several it fails. Every error is one line that names path,
// and the tensor where there is one.
func Open(path string) (*File, error) {
	mapping, err := mapFile(path)
	if err != nil {
		return nil, err
	}
	tensors, metadata, err := parse(mapping)
	if err != nil {
		_ = mapping.Unmap() // the first error is the one that helps
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &File{mapping: mapping, tensors: tensors, metadata: metadata}, nil
}

// Parse is Open for a file that is in memory, such as an embedded one; name
// stands for its path in errors. The tensors borrow data.
func Parse(name string, data []byte) (*File, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("%s: the file is empty", name)
	}
	tensors, metadata, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &File{tensors: tensors, metadata: metadata}, nil
}

// Names returns the names of all tensors, sorted.
func (f *File) Names() []string {
	names := make([]string, len(f.tensors))
	for i, t := range f.tensors {
		names[i] = t.Name
	}
	return names
}

// Tensor returns the tensor of that name, and whether the file holds it. Its
// Data points into the mapping: it is read-only and valid until Close.
func (f *File) Tensor(name string) (Tensor, bool) {
	i, ok := slices.BinarySearchFunc(f.tensors, name, func(t Tensor, name string) int {
		return strings.Compare(t.Name, name)
	})
	if !ok {
		return Tensor{}, false
	}
	return f.tensors[i], true
}

// Tensors returns all tensors, sorted by name; see Tensor for their Data.
func (f *File) Tensors() []Tensor { return slices.Clone(f.tensors) }

// Metadata returns the text entries of a safetensors header, nil where there
// are none. The caller must not change the map.
func (f *File) Metadata() map[string]string { return f.metadata }

// Close unmaps the file. The Data of its tensors must not be touched
// afterwards; what Float32 and Int64 returned stays valid. A second Close
// does nothing.
func (f *File) Close() error {
	mapping := f.mapping
	f.mapping, f.tensors = nil, nil
	if mapping == nil {
		return nil
	}
	return mapping.Unmap()
}

// mapFile maps a regular file read-only. It asks before it opens, because
// opening a named pipe would wait for a writer.
func mapFile(path string) (mmap.MMap, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a regular file", path)
	case info.Size() == 0:
		return nil, fmt.Errorf("%s: the file is empty", path)
	case info.Size() > math.MaxInt:
		return nil, fmt.Errorf("%s: %d bytes do not fit the address space", path, info.Size())
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	mapping, err := mmap.Map(file, mmap.RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: map into memory: %w", path, err)
	}
	return mapping, nil
}

// parse returns the tensors in data, sorted by name.
func parse(data []byte) (tensors []Tensor, metadata map[string]string, err error) {
	switch {
	// First, because the header length that a safetensors file begins with
	// can look like the first bytes of anything.
	case len(data) > 8 && data[8] == '{':
		tensors, metadata, err = parseSafetensors(data)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		tensors, err = parseTorchZip(data)
	case data[0] == opProto:
		err = errors.New("a plain pickle or a legacy torch file; load it in torch and write it again with torch.save")
	default:
		err = errors.New("neither a safetensors file nor a torch zip file")
	}
	if err != nil {
		return nil, nil, err
	}
	slices.SortFunc(tensors, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(tensors); i++ {
		if tensors[i].Name == tensors[i-1].Name {
			return nil, nil, fmt.Errorf("tensor %.80q: named twice", tensors[i].Name)
		}
	}
	return tensors, metadata, nil
}
