package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// jsonStream reads a JSON document piece by piece, so that its size does not
// matter: only one element of an array or one value of an object is held, and none
// may be longer than maxLine. Text that is not UTF-8 is an error, which
// encoding/json alone would mend in silence.
type jsonStream struct {
	decoder *json.Decoder
	source  *allowance
}

func newJSONStream(r io.Reader) *jsonStream {
	source := &allowance{r: &utf8Reader{r: r}}
	s := &jsonStream{json.NewDecoder(source), source}
	s.decoder.UseNumber() // a skipped number may exceed a float64
	s.allow()
	return s
}

// allow lets the decoder read maxLine bytes on from where it stands.
func (s *jsonStream) allow() { s.source.limit = s.decoder.InputOffset() + maxLine }

// array yields the indices of an array's elements. The caller reads each.
func (s *jsonStream) array() iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		if err := s.expect('['); err != nil {
			yield(0, err)
			return
		}
		i := 0
		for ; s.more(); i++ {
			if !yield(i, nil) {
				return
			}
		}
		if err := s.expect(']'); err != nil {
			yield(i, err)
		}
	}
}

// object yields the keys of an object. The caller reads each value.
func (s *jsonStream) object() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := s.expect('{'); err != nil {
			yield("", err)
			return
		}
		for s.more() {
			token, err := s.token()
			if err != nil {
				yield("", err)
				return
			}
			if !yield(token.(string), nil) { // the decoder takes nothing else for a key
				return
			}
		}
		if err := s.expect('}'); err != nil {
			yield("", err)
		}
	}
}

func (s *jsonStream) more() bool {
	s.allow()
	return s.decoder.More()
}

func (s *jsonStream) expect(delim json.Delim) error {
	at := s.decoder.InputOffset()
	token, err := s.token()
	if err != nil {
		return err
	}
	if token != delim {
		return fmt.Errorf("after byte %d: %.40q, not %q", at, fmt.Sprint(token), delim.String())
	}
	return nil
}

func (s *jsonStream) token() (json.Token, error) {
	token, err := s.decoder.Token()
	return token, s.explain(err)
}

func (s *jsonStream) decode(value any) error { return s.explain(s.decoder.Decode(value)) }

// skip passes over a value of any size.
func (s *jsonStream) skip() error {
	for depth := 0; ; {
		s.allow()
		token, err := s.token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// whole yields the records, and fails if the document goes on after them.
func (s *jsonStream) whole(records iter.Seq2[Record, error]) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for r, err := range records {
			if !yield(r, err) || err != nil {
				return
			}
		}
		if err := s.end(); err != nil {
			yield(Record{}, err)
		}
	}
}

// end fails unless the document ends here.
func (s *jsonStream) end() error {
	s.allow()
	at := s.decoder.InputOffset()
	switch _, err := s.decoder.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return s.explain(err)
	}
	return fmt.Errorf("after byte %d: more, though the JSON ends", at)
}

func (s *jsonStream) explain(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the file ends within its JSON")
	case errors.As(err, &syntax):
		return fmt.Errorf("after byte %d: %w", s.decoder.InputOffset(), err)
	}
	return explainType(err)
}

// explainType names the field that holds what it must not, in JSON's terms rather
// than Go's.
func explainType(err error) error {
	var mismatch *json.UnmarshalTypeError
	if !errors.As(err, &mismatch) {
		return err
	}
	if mismatch.Field == "" {
		return fmt.Errorf("unexpected %s", mismatch.Value)
	}
	return fmt.Errorf("field %q: unexpected %s", mismatch.Field, mismatch.Value)
}
