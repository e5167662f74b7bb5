package dataset

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ReadText yields the lines of a plain text, trimmed, without empty ones.
func ReadText(r io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		number := 0
		for line, err := range lines(r) {
			number++
			if err == nil && !utf8.Valid(line) {
				err = errors.New("not UTF-8")
			}
			if err != nil {
				yield("", fmt.Errorf("line %d: %w", number, err))
				return
			}
			if len(line) > 0 && !yield(string(line), nil) {
				return
			}
		}
	}
}

// LoadText reads a whole text file, a sentence a line.
func LoadText(path string) ([]string, error) { return loadTexts(path, ReadText, "no text") }

// loadTexts reads all texts of a file; none are an error.
func loadTexts(path string, read func(io.Reader) iter.Seq2[string, error], none string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var out []string
	for text, err := range read(file) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, text)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: %s", path, none)
	}
	return out, nil
}

// Sentence prepares a caption for training: white space becomes single spaces, a
// detached full stop is attached, the first letter is capitalised, and a full stop
// ends it, since that is what captioners learn to stop at.
func Sentence(caption string) string {
	words := strings.Fields(caption)
	text := strings.TrimRight(strings.Join(words, " "), " .")
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:] + "."
}
