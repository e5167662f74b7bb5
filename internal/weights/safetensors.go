package weights

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// A safetensors file is the length n of its header (uint64, little-endian), n
// bytes of JSON, and the bytes of the tensors without gaps. The header maps
// each name to {"dtype", "shape", "data_offsets": [begin, end]}, counted from
// its own end, and "__metadata__" to an object of strings.
// Source: https://github.com/huggingface/safetensors, README, "Format".
const (
	maxHeader   = 16 << 20 // the reference implementation takes 100 MB
	maxTensors  = 1 << 16  // a hundred times those of the networks here
	maxMetadata = 1 << 12  // entries
	metadataKey = "__metadata__"
	// The shortest entry that can be written, which bounds how many there are.
	minRecord = len(`"":{"dtype":"I8","shape":[],"data_offsets":[0,0]},`)
)

// record is what the header says of one tensor.
type record struct {
	name       string
	dtype      DType
	shape      []int
	begin, end int
}

// parseSafetensors returns the tensors of a file in the order of their bytes.
func parseSafetensors(data []byte) ([]Tensor, map[string]string, error) {
	n := binary.LittleEndian.Uint64(data)
	switch {
	case n > maxHeader:
		return nil, nil, fmt.Errorf("a header of %d bytes, more than %d", n, maxHeader)
	case n > uint64(len(data)-8):
		return nil, nil, fmt.Errorf("a header of %d bytes, but %d are left in the file", n, len(data)-8)
	}
	header, body := data[8:8+n], data[8+n:]
	if !utf8.Valid(header) {
		return nil, nil, errors.New("the header is not UTF-8")
	}
	// One copy for all names, which outlive the mapping.
	records, metadata, err := parseHeader(string(header))
	if err != nil {
		return nil, nil, err
	}
	if err := checkLayout(records, len(body)); err != nil {
		return nil, nil, err
	}
	tensors := make([]Tensor, len(records))
	for i, r := range records {
		tensors[i] = Tensor{Name: r.name, DType: r.dtype, Shape: r.shape, Data: body[r.begin:r.end:r.end]}
	}
	return tensors, metadata, nil
}

// parseHeader reads the JSON object of the header.
func parseHeader(text string) ([]record, map[string]string, error) {
	s := scanner{text: text}
	records := make([]record, 0, min(len(text)/minRecord+1, maxTensors))
	var metadata map[string]string
	err := s.object(func(name string) error {
		if name == metadataKey {
			if metadata != nil {
				return errors.New("__metadata__ appears twice")
			}
			var err error
			metadata, err = parseMetadata(&s)
			return err
		}
		if len(records) == maxTensors {
			return fmt.Errorf("more than %d tensors", maxTensors)
		}
		r, err := parseRecord(&s, name)
		if err != nil {
			return fmt.Errorf("tensor %.80q: %w", name, err)
		}
		records = append(records, r)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("safetensors header: %w", err)
	}
	if s.peek(); s.pos < len(text) {
		return nil, nil, fmt.Errorf("safetensors header: byte %d: text after the end of the object", s.pos)
	}
	return records, metadata, nil
}

// parseMetadata reads the object of strings under "__metadata__".
func parseMetadata(s *scanner) (map[string]string, error) {
	metadata := map[string]string{}
	err := s.object(func(key string) error {
		if _, ok := metadata[key]; ok {
			return fmt.Errorf("metadata %.80q appears twice", key)
		}
		if len(metadata) == maxMetadata {
			return fmt.Errorf("more than %d metadata entries", maxMetadata)
		}
		value, err := s.str()
		metadata[key] = value
		return err
	})
	return metadata, err
}

// parseRecord reads the object that describes one tensor and checks that it
// agrees with itself.
func parseRecord(s *scanner, name string) (record, error) {
	r := record{name: name, begin: -1}
	var offsets [2]int
	err := s.object(func(field string) error {
		var err error
		switch {
		case field == "dtype" && r.dtype == "":
			var text string
			text, err = s.str()
			r.dtype = DType(text)
		case field == "shape" && r.shape == nil:
			var dims [maxRank]int
			var n int
			n, err = s.ints(dims[:])
			r.shape = slices.Clone(dims[:n:n])
		case field == "data_offsets" && r.begin < 0:
			var n int
			if n, err = s.ints(offsets[:]); err == nil && n != 2 {
				err = fmt.Errorf("%d data_offsets, not 2", n)
			}
			r.begin, r.end = offsets[0], offsets[1]
		default:
			err = fmt.Errorf("field %.20q is unknown or appears twice", field)
		}
		return err
	})
	switch {
	case err != nil:
		return r, err
	case r.dtype == "" || r.shape == nil || r.begin < 0:
		return r, errors.New("dtype, shape or data_offsets is missing")
	case r.begin > r.end:
		return r, fmt.Errorf("data_offsets [%d, %d] end before they begin", r.begin, r.end)
	}
	size, err := byteSize(r.shape, r.dtype)
	if err == nil && size != r.end-r.begin {
		err = fmt.Errorf("data_offsets span %d bytes, but shape %v of %s takes %d", r.end-r.begin, r.shape, r.dtype, size)
	}
	return r, err
}

// checkLayout sorts the records by offset and checks that they cover the size
// bytes behind the header once: no overlap, no hole, nothing left over.
func checkLayout(records []record, size int) error {
	slices.SortFunc(records, func(a, b record) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.name, b.name))
	})
	at := 0
	for i, r := range records {
		switch {
		case i > 0 && r.name == records[i-1].name:
			return fmt.Errorf("tensor %.80q: named twice", r.name)
		case r.end > size:
			return fmt.Errorf("tensor %.80q: data_offsets [%d, %d], but the file holds %d bytes of data; it may be truncated", r.name, r.begin, r.end, size)
		case r.begin < at:
			return fmt.Errorf("tensor %.80q: data_offsets [%d, %d] overlap another tensor, which ends at %d", r.name, r.begin, r.end, at)
		case r.begin > at:
			return fmt.Errorf("tensor %.80q: data_offsets [%d, %d] leave a hole from %d", r.name, r.begin, r.end, at)
		}
		at = r.end
	}
	if at != size {
		return fmt.Errorf("%d bytes follow the last tensor", size-at)
	}
	return nil
}
