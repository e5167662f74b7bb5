package dataset

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"
)

// parseLines yields what parse makes of each line that is not empty; the first has
// number 1. A record without an image is none, such as a heading.
func parseLines(r io.Reader, parse func(number int, line []byte) (Record, error)) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		number := 0
		for line, err := range lines(r) {
			number++
			var record Record
			switch {
			case err != nil || len(line) == 0:
			case !utf8.Valid(line):
				err = errors.New("not UTF-8")
			default:
				record, err = parse(number, line)
			}
			if err != nil {
				yield(Record{}, fmt.Errorf("line %d: %w", number, err))
				return
			}
			if record.Image != "" && !yield(record, nil) {
				return
			}
		}
	}
}

// parseFlickr reads NAME.jpg#N, a tab, the caption.
func parseFlickr(_ int, line []byte) (Record, error) {
	key, caption, found := strings.Cut(string(line), "\t")
	name, number, numbered := cutLast(key, "#")
	if !numbered || name == "" || !isDigits(number) {
		return Record{}, fmt.Errorf("%.40q is not a photo's name, # and a number", key)
	}
	if !found {
		caption = "" // its tab was trimmed with the line
	}
	return Record{Image: name, Captions: []string{strings.TrimSpace(caption)}}, nil
}

// parseFlickrCSV reads NAME.jpg| N| caption. The second bar may be missing: one
// caption of Kaggle's file has none, "2199200615.jpg| 4   A dog runs …".
func parseFlickrCSV(number int, line []byte) (Record, error) {
	text := string(line)
	if number == 1 && strings.HasPrefix(text, "image_name|") {
		return Record{}, nil
	}
	name, rest, found := strings.Cut(text, "|")
	rest = strings.TrimSpace(rest)
	caption := strings.TrimLeft(rest, "0123456789")
	if name = strings.TrimSpace(name); name == "" || !found || caption == rest {
		return Record{}, fmt.Errorf("%.40q is not a photo's name, a bar and a number", text)
	}
	caption = strings.TrimPrefix(strings.TrimSpace(caption), "|")
	return Record{Image: name, Captions: []string{strings.TrimSpace(caption)}}, nil
}

// parseConceptual reads a caption, a tab and an address. Photos are named after the
// line's index from 0, in eight digits, as ClipCap's parse_conceptual.py names those
// that it fetches.
func parseConceptual(number int, line []byte) (Record, error) {
	fields := strings.Split(string(line), "\t")
	if len(fields) == 1 && strings.Contains(fields[0], "://") {
		fields = []string{"", fields[0]} // the tab was trimmed with the line
	}
	if len(fields) != 2 {
		return Record{}, fmt.Errorf("%d fields, not a caption and an address", len(fields))
	}
	return Record{
		Image:    fmt.Sprintf("%08d.jpg", number-1),
		ID:       fields[1],
		Captions: []string{strings.TrimSpace(fields[0])},
	}, nil
}

// cutLast is strings.Cut at the last separator.
func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
