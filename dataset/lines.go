package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// byteOrderMark is what some editors begin a UTF-8 file with.
const byteOrderMark = "\uFEFF"

// lines yields the lines of r without the white space around them; a byte order mark
// counts as such. A line over maxLine is an error.
func lines(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		scanner := bufio.NewScanner(r)
		scanner.Buffer(nil, maxLine)
		// After a failed read the scanner hands out what it has, a broken line at its end.
		for first := true; scanner.Scan() && scanner.Err() == nil; first = false {
			line := scanner.Bytes()
			if first {
				line = bytes.TrimPrefix(line, []byte(byteOrderMark))
			}
			if !yield(bytes.TrimSpace(line), nil) {
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
