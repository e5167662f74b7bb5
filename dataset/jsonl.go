package dataset

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// ReadJSONL yields the records of a file with one JSON object {"image", "captions",
// "split"} a line. An error names the line and the field, and ends the sequence.
func ReadJSONL(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		number := 0
		for line, err := range lines(r) {
			number++
			var record Record
			if err == nil && len(line) > 0 {
				record, err = parseRecord(line)
			}
			if err != nil {
				yield(Record{}, fmt.Errorf("line %d: %w", number, err))
				return
			}
			if len(line) > 0 && !yield(record, nil) {
				return
			}
		}
	}
}

func parseRecord(line []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(line, &r); err != nil {
		return r, err
	}
	switch {
	case r.Image == "":
		return r, errors.New(`field "image" is missing`)
	case len(r.Captions) == 0:
		return r, errors.New(`field "captions" is missing`)
	}
	return r, nil
}

// LoadJSONL reads a whole file of records, those of one split only where split is
// given.
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
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: no records of split %q", path, split)
	}
	return out, nil
}

// lines yields the lines of r without their ends. A line over maxLine is an error.
func lines(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		scanner := bufio.NewScanner(r)
		scanner.Buffer(nil, maxLine)
		for scanner.Scan() {
			if !yield(scanner.Bytes(), nil) {
				return
			}
		}
		if err := scanner.Err(); errors.Is(err, bufio.ErrTooLong) {
			yield(nil, fmt.Errorf("longer than %d bytes", maxLine))
		} else if err != nil {
			yield(nil, err)
		}
	}
}
