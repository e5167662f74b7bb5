package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
)

// ReadJSONL yields the records of a file with one JSON object {"image", "captions",
// "split"} a line; blank lines are passed over. An error names the line and the field,
// and ends the sequence.
func ReadJSONL(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		number := 0
		for line, err := range lines(r) {
			number++
			if err == nil && len(line) == 0 {
				continue
			}
			var record Record
			if err == nil {
				record, err = parseRecord(line)
			}
			if err != nil {
				yield(Record{}, fmt.Errorf("line %d: %w", number, err))
				return
			}
			if !yield(record, nil) {
				return
			}
		}
	}
}

func parseRecord(line []byte) (Record, error) {
	var r Record
	err := json.Unmarshal(line, &r)
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case ok && wrong.Field == "":
		return r, fmt.Errorf("unexpected %s, want an object", wrong.Value)
	case ok:
		return r, fmt.Errorf("field %q: unexpected %s", wrong.Field, wrong.Value)
	case err != nil:
		return r, fmt.Errorf("not JSON: %w", err)
	case r.Image == "":
		return r, errors.New(`field "image" is missing`)
	case len(r.Captions) == 0:
		return r, errors.New(`field "captions" is missing`)
	}
	for i, caption := range r.Captions {
		if strings.TrimSpace(caption) == "" {
			return r, fmt.Errorf(`field "captions": number %d is blank`, i+1)
		}
	}
	return r, nil
}

// LoadJSONL reads a whole file of records, those of one split only where split is
// given. A file without such a record is an error.
func LoadJSONL(path, split string) ([]Record, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var out []Record
	for r, err := range ReadJSONL(file) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if split == "" || r.Split == split {
			out = append(out, r)
		}
	}
	switch {
	case len(out) > 0:
		return out, nil
	case split == "":
		return nil, fmt.Errorf("%s: no records", path)
	}
	return nil, fmt.Errorf("%s: no records of split %q", path, split)
}
