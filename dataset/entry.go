package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
)

// entry is an object of a list or of JSONL, under all the names that its fields
// go by.
type entry struct {
	Image     label `json:"image"`
	ImageName label `json:"image_name"`
	FileName  label `json:"file_name"`
	Filename  label `json:"filename"`
	File      label `json:"file"`
	ImageID   label `json:"image_id"`
	ID        label `json:"id"` // beside an image_id it is the caption's

	Captions   texts `json:"captions"`
	References texts `json:"references"`
	Refs       texts `json:"refs"`
	Caption    texts `json:"caption"`
	Prediction texts `json:"prediction"`
	Hyp        texts `json:"hyp"`

	Candidates json.RawMessage `json:"candidates"` // see parseSet

	Split  string `json:"split"`
	Domain string `json:"domain"`
}

// image returns what the entry calls its image, by preference a file's name.
func (e *entry) image() string {
	for _, name := range []label{e.Image, e.ImageName, e.FileName, e.Filename, e.File, e.ImageID, e.ID} {
		if name != "" {
			return string(name)
		}
	}
	return ""
}

// isEntry tells whether text is an object with an image and captions.
func isEntry(text []byte) bool {
	var e entry
	if json.Unmarshal(text, &e) != nil || e.image() == "" {
		return false
	}
	return e.Captions.given || e.References.given || e.Refs.given ||
		e.Caption.given || e.Prediction.given || e.Hyp.given
}

// parseReference reads what people said of the image.
func parseReference(object []byte) (Record, error) {
	return parseEntry(object, func(e *entry) []texts {
		return []texts{e.Captions, e.References, e.Refs, e.Caption}
	})
}

// parseResult reads what a system said of the image.
func parseResult(object []byte) (Record, error) {
	return parseEntry(object, func(e *entry) []texts {
		return []texts{e.Prediction, e.Hyp, e.Caption, e.Captions}
	})
}

// parseSet reads all that a system said of the image. What cutline caption writes holds
// them beside the best one: {"caption", "candidates": [{"caption"}, …]}.
func parseSet(object []byte) (Record, error) {
	return parseEntry(object, func(e *entry) []texts {
		var list []struct {
			Caption string `json:"caption"`
		}
		var candidates texts
		if e.Candidates != nil && json.Unmarshal(e.Candidates, &list) == nil {
			for _, c := range list {
				candidates.list, candidates.given = append(candidates.list, c.Caption), true
			}
		}
		return []texts{candidates, e.Prediction, e.Hyp, e.Captions, e.Caption}
	})
}

// parseEntry takes the captions from the first field that is there.
func parseEntry(object []byte, fields func(*entry) []texts) (Record, error) {
	var e entry
	if err := json.Unmarshal(object, &e); err != nil {
		return Record{}, explainType(err)
	}
	r := Record{Image: e.image(), Split: e.Split, Domain: e.Domain, ID: string(e.ImageID)}
	if r.Image == "" {
		return Record{}, errors.New(`field "image" is missing, and so is "image_id"`)
	}
	for _, field := range fields(&e) {
		if field.given {
			r.Captions = field.list
			return r, nil
		}
	}
	return Record{}, errors.New(`field "caption" is missing, and so is "captions"`)
}

// readList yields the records of a JSON array's elements.
func readList(r io.Reader, parse func(object []byte) (Record, error)) iter.Seq2[Record, error] {
	s := newJSONStream(r)
	return s.whole(func(yield func(Record, error) bool) {
		var object json.RawMessage
		for i, err := range s.array() {
			if err != nil {
				yield(Record{}, err)
				return
			}
			var record Record
			if err = s.decode(&object); err == nil {
				record, err = parse(object)
			}
			if err != nil {
				err = fmt.Errorf("[%d]: %w", i, err)
			}
			if !yield(record, err) || err != nil {
				return
			}
		}
	})
}

// label is a name: a string, or an integer, which becomes its decimal digits.
type label string

func (l *label) UnmarshalJSON(data []byte) error {
	switch {
	case data[0] == '"':
		return json.Unmarshal(data, (*string)(l))
	case string(data) == "null":
		return nil
	case data[0] == '{' || data[0] == '[' || bytes.ContainsAny(data, ".eE"): // true and false have an e
		return &json.UnmarshalTypeError{Value: fmt.Sprintf("%.40s", data), Type: reflect.TypeFor[label]()}
	}
	*l = label(data)
	return nil
}

// texts is a caption or a list of captions. Null is none.
type texts struct {
	list  []string
	given bool
}

func (t *texts) UnmarshalJSON(data []byte) error {
	t.given = true
	if data[0] != '"' {
		return json.Unmarshal(data, &t.list)
	}
	t.list = make([]string, 1)
	return json.Unmarshal(data, &t.list[0])
}
