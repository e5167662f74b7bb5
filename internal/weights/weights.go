// Package weights reads files of named tensors, safetensors and all that torch
// writes, and writes safetensors.
//
// Files come from strangers, so the readers are strict and bounded: each
// length is checked against what is left of the file, and opening a file
// allocates at most 64 MB plus four times its size, whatever it says of itself.
package weights

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"unsafe"

	"github.com/edsrzf/mmap-go"
)

// File is a set of named tensors over a memory-mapped file or bytes in memory.
// Neither must be written to while it is open; replacing a file by rename is
// fine. A File may be read from several goroutines at once, until Close.
type File struct {
	mapping mmap.MMap // nil for bytes in memory
	content
}

// content is what a file holds.
type content struct {
	format   string
	tensors  []Tensor // by name
	metadata map[string]string
}

// Open maps the file at path and reads its directory of tensors. The content
// decides the format, not the name: safetensors, what torch.save wrote, as a zip
// file or before version 1.6, a TorchScript archive, or a pickle with tensors in it.
// Of a training checkpoint it reads the one dict of tensors below the top level,
// whose key the names do not repeat; where there are several it fails. Of a
// TorchScript module it reads the state dict. Every error is one line that names path,
// and the tensor where there is one.
func Open(path string) (*File, error) {
	mapping, err := mapFile(path)
	if err != nil {
		return nil, err
	}
	parsed, err := parse(mapping)
	if err != nil {
		_ = mapping.Unmap() // the first error is the one that helps
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f := &File{mapping, parsed}
	for i := range f.tensors {
		f.tensors[i].file = f
	}
	return f, nil
}

// Parse is Open for a file that is in memory, such as an embedded one; name
// stands for its path in errors. The tensors borrow data.
func Parse(name string, data []byte) (*File, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("%s: the file is empty", name)
	}
	parsed, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &File{content: parsed}, nil
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

// Format returns what kind of file it is, for people: "safetensors file", "torch file",
// "legacy torch file", "TorchScript archive" or "pickle".
func (f *File) Format() string { return f.format }

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

// within tells whether part lies in whole.
func within(part, whole []byte) bool {
	if len(part) == 0 || len(whole) == 0 {
		return false
	}
	at, start := uintptr(unsafe.Pointer(&part[0])), uintptr(unsafe.Pointer(&whole[0]))
	return at >= start && at+uintptr(len(part)) <= start+uintptr(len(whole))
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

// parse returns what data holds, its tensors sorted by name.
func parse(data []byte) (c content, err error) {
	// First, because the header length that a safetensors file begins with
	// can look like the first bytes of anything.
	if len(data) > 8 && data[8] == '{' {
		c.format = "safetensors file"
		c.tensors, c.metadata, err = parseSafetensors(data)
	} else {
		var torch *torchContent
		if torch, err = readTorch(data); err == nil && torch == nil {
			err = errors.New("neither a safetensors file nor one of torch's")
		}
		if err == nil {
			c.format = torch.format
			c.tensors, err = torch.tensors()
		}
	}
	if err != nil {
		return content{}, err
	}
	slices.SortFunc(c.tensors, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(c.tensors); i++ {
		if c.tensors[i].Name == c.tensors[i-1].Name {
			return content{}, fmt.Errorf("tensor %.80q: named twice", c.tensors[i].Name)
		}
	}
	return c, nil
}
