package dataset

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/cutline-go/cutline/internal/spill"
)

// shelf keeps records outside of memory, each in one piece or more, for a file may say
// what belongs to an image in several places. In memory are 8 bytes of each record and,
// at most, 4 MiB of texts.
type shelf struct {
	pieces spill.File
	last   []int64 // where the last piece of each record begins

	piece  []byte // scratch memory of writing
	window []byte // what was read last, and where that is in the file
	begin  int64
}

// headSize is what precedes the strings of a piece: where the piece before it begins,
// −1 for none, and how many bytes they are.
const headSize = 8 + 4

// add puts a new record on the shelf.
func (s *shelf) add(r Record) error {
	s.last = append(s.last, -1)
	return s.extend(len(s.last)-1, r)
}

// extend adds captions to record i, and the names that it lacks.
func (s *shelf) extend(i int, r Record) error {
	p := append(s.piece[:0], make([]byte, headSize)...)
	for _, text := range []string{r.Image, r.ID, r.Split, r.Domain} {
		p = appendText(p, text)
	}
	p = binary.AppendUvarint(p, uint64(len(r.Captions)))
	for _, caption := range r.Captions {
		p = appendText(p, caption)
	}
	binary.LittleEndian.PutUint64(p, uint64(s.last[i]))
	binary.LittleEndian.PutUint32(p[8:], uint32(len(p)-headSize))
	s.last[i], s.piece, s.window = s.pieces.Size(), p, s.window[:0]
	_, err := s.pieces.Write(p)
	return err
}

// record takes record i from the shelf.
func (s *shelf) record(i int) (Record, error) {
	var r Record
	for at := s.last[i]; at >= 0; {
		head, err := s.read(at, headSize)
		if err != nil {
			return r, err
		}
		before := int64(binary.LittleEndian.Uint64(head))
		p, err := s.read(at+headSize, int(binary.LittleEndian.Uint32(head[8:])))
		if err != nil {
			return r, err
		}
		r.prepend(p)
		at = before
	}
	slices.Reverse(r.Captions)
	return r, nil
}

// prepend takes the fields of an earlier piece. The captions are kept from the last to
// the first.
func (r *Record) prepend(piece []byte) {
	for _, field := range []*string{&r.Image, &r.ID, &r.Split, &r.Domain} {
		var text string
		if text, piece = cutText(piece); text != "" {
			*field = text
		}
	}
	n, size := binary.Uvarint(piece)
	piece = piece[size:]
	before := len(r.Captions)
	for range n {
		var caption string
		caption, piece = cutText(piece)
		r.Captions = append(r.Captions, caption)
	}
	slices.Reverse(r.Captions[before:])
}

// read returns n bytes, valid until the next call. It reads ahead, for mostly records
// are taken in the order in which they lie there.
func (s *shelf) read(at int64, n int) ([]byte, error) {
	const ahead = 4 << 10
	if offset := at - s.begin; offset >= 0 && offset+int64(n) <= int64(len(s.window)) {
		return s.window[offset:][:n], nil
	}
	if size := max(n, ahead); cap(s.window) < size {
		s.window = make([]byte, size)
	}
	s.window = s.window[:max(n, ahead)]
	got, err := s.pieces.ReadAt(s.window, at)
	if s.begin, s.window = at, s.window[:got]; got < n {
		return nil, err
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return s.window[:n], nil
}

func (s *shelf) len() int { return len(s.last) }

func (s *shelf) close() error { return s.pieces.Close() }

// each calls use with all records in their order.
func (s *shelf) each(use func(i int, r Record) error) error {
	for i := range s.last {
		r, err := s.record(i)
		if err == nil {
			err = use(i, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func appendText(p []byte, text string) []byte {
	return append(binary.AppendUvarint(p, uint64(len(text))), text...)
}

func cutText(p []byte) (text string, rest []byte) {
	n, size := binary.Uvarint(p)
	return string(p[size:][:n]), p[size:][n:]
}
