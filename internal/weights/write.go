package weights

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"unicode/utf8"
)

// WriteSafetensors writes tensors and metadata to path as a safetensors file,
// sorted by name, so that the same tensors give the same bytes. Readers see
// the old file or the whole new one, also after a crash. It is an error when
// a name repeats or the bytes of a tensor do not fit its shape and type.
func WriteSafetensors(path string, tensors []Tensor, metadata map[string]string) error {
	header, layout, err := marshalHeader(tensors, metadata)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return writeAtomic(path, func(w io.Writer) error {
		if _, err := w.Write(header); err != nil {
			return err
		}
		for _, t := range layout {
			var err error
			t.eachStretch(func(from, to int) {
				if size := t.DType.size(); err == nil {
					_, err = w.Write(t.Data[from*size : to*size])
				}
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// marshalHeader returns the bytes before the data, a multiple of 8, and the
// tensors in the order of their data: wide elements first, as the reference
// implementation has it, so that each lies at a multiple of its size.
func marshalHeader(tensors []Tensor, metadata map[string]string) ([]byte, []Tensor, error) {
	layout := slices.SortedFunc(slices.Values(tensors), func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(b.DType.size(), a.DType.size()), cmp.Compare(a.Name, b.Name))
	})
	type entry struct {
		DType   DType  `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	entries := make(map[string]any, len(tensors)+1)
	if len(metadata) > 0 {
		entries[metadataKey] = metadata
	}
	at := 0
	for _, t := range layout {
		if err := t.check(); err != nil {
			return nil, nil, err
		}
		if t.Name == metadataKey || !utf8.ValidString(t.Name) {
			return nil, nil, fmt.Errorf("tensor %.80q: not a name that the format can hold", t.Name)
		}
		if _, ok := entries[t.Name]; ok {
			return nil, nil, fmt.Errorf("tensor %.80q: named twice", t.Name)
		}
		end := at + len(t.Data)
		entries[t.Name] = entry{t.DType, append([]int{}, t.Shape...), [2]int{at, end}}
		at = end
	}
	text, err := json.Marshal(entries) // sorts the names
	if err != nil {
		return nil, nil, err
	}
	padding := -len(text) & 7
	text = append(text, bytes.Repeat([]byte{' '}, padding)...)
	if len(text) > maxHeader || len(tensors) > maxTensors {
		return nil, nil, errors.New("the names take more than a header may hold")
	}
	header := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	return append(header, text...), layout, nil
}

// writeAtomic writes a file beside path and renames it into place, each step
// on disk before the next.
func writeAtomic(path string, write func(io.Writer) error) (err error) {
	temporary := path + ".tmp-" + rand.Text()
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			file.Close() // for the paths that did not reach it; an error means it was closed
			os.Remove(temporary)
		}
	}()
	if err := write(file); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a rename last. Windows has no such call and needs none.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
