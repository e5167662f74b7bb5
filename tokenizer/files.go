package tokenizer

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// What the readers take at most. CLIP's list of merges, the longest file in use, has
// 262,145 lines and 3 MB.
const (
	maxFileBytes = 8 << 20
	maxEntries   = 300_000
)

// readAll reads a file that is not over maxFileBytes.
func readAll(r io.Reader) ([]byte, error) {
	var data bytes.Buffer
	n, err := data.ReadFrom(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if n > maxFileBytes {
		return nil, fmt.Errorf("over the limit of %d MiB", maxFileBytes>>20)
	}
	return data.Bytes(), nil
}

// mergeLine is one line of a list of merges.
type mergeLine struct {
	parts  [2]string
	number int // in the file, from 1
}

// readMerges reads a list of merges: two tokens and a space between on each line.
// A first line that names a version is no merge, and blank lines are none either.
func readMerges(r io.Reader) ([]mergeLine, error) {
	data, err := readAll(r)
	if err != nil {
		return nil, err
	}
	count := bytes.Count(data, []byte{'\n'})
	if count > maxEntries {
		return nil, fmt.Errorf("%d lines, more than %d", count, maxEntries)
	}
	lines := make([]mergeLine, 0, count+1)
	number := 0
	for text := range strings.Lines(string(data)) {
		number++
		text = strings.TrimRight(text, "\r\n")
		if text == "" || number == 1 && strings.Contains(text, "#version") {
			continue
		}
		left, right, ok := strings.Cut(text, " ")
		if !ok || left == "" || right == "" || strings.Contains(right, " ") {
			return nil, fmt.Errorf("line %d: %.80q is not two tokens with a space between", number, text)
		}
		lines = append(lines, mergeLine{[2]string{left, right}, number})
	}
	return lines, nil
}
