package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
)

// readMap yields the images of a map, or of the map that a map of systems has
// under the system's name.
func readMap(r io.Reader, system string) iter.Seq2[Record, error] {
	s := newJSONStream(r)
	if system == "" {
		return s.whole(s.images())
	}
	return s.whole(s.system(system))
}

// system yields one system's images, and reads over the others': a file that was
// cut off is not to be trusted.
func (s *jsonStream) system(name string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		var names []string
		for key, err := range s.object() {
			names = append(names, key)
			if err == nil && key != name {
				err = s.skip()
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
			if key != name {
				continue
			}
			for r, err := range s.images() {
				if err != nil {
					err = fmt.Errorf("%q: %w", key, err)
				}
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
		if !slices.Contains(names, name) {
			yield(Record{}, fmt.Errorf("no %q among %.200q", name, names))
		}
	}
}

// images yields a map from images to captions.
func (s *jsonStream) images() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for name, err := range s.object() {
			if err != nil {
				yield(Record{}, err)
				return
			}
			captions, err := s.texts()
			if err == nil && name == "" {
				err = errors.New("an image without a name")
			}
			if err != nil {
				yield(Record{}, fmt.Errorf("%.200q: %w", name, err))
				return
			}
			if !yield(Record{Image: name, Captions: captions}, nil) {
				return
			}
		}
	}
}

// texts reads a caption, a list of captions, or null for none.
func (s *jsonStream) texts() ([]string, error) {
	var list []string
	for depth := 0; ; {
		token, err := s.token()
		if err != nil {
			return nil, err
		}
		switch value := token.(type) {
		case string:
			list = append(list, value)
		case nil:
		case json.Delim:
			switch {
			case value == '[' && depth == 0:
				depth++
			case value == ']':
				depth--
			case value == '{' && depth == 0:
				return nil, errors.New("a map within the map: name it, as FILE.json#NAME")
			default:
				return nil, fmt.Errorf("unexpected %q among captions", value.String())
			}
		default:
			return nil, fmt.Errorf("unexpected %v, not a caption", value)
		}
		if depth == 0 {
			return list, nil
		}
	}
}
