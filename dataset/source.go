package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// allowance is a reader that fails where a piece would grow too long.
type allowance struct {
	r           io.Reader
	read, limit int64
}

func (a *allowance) Read(p []byte) (int, error) {
	room := a.limit - a.read
	if room <= 0 {
		return 0, fmt.Errorf("after byte %d: a value longer than %d bytes", a.limit-maxLine, maxLine)
	}
	n, err := a.r.Read(p[:min(int64(len(p)), room)])
	a.read += int64(n)
	return n, err
}

// utf8Reader is a reader that fails at the first byte that is not UTF-8.
type utf8Reader struct {
	r       io.Reader
	checked int64  // bytes known to be valid
	tail    []byte // the beginning of a character that the next read completes
}

func (u *utf8Reader) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	text := append(u.tail, p[:n]...)
	for len(text) > 0 && (errors.Is(err, io.EOF) || utf8.FullRune(text)) {
		valid := validPrefix(text)
		if valid == 0 {
			return 0, fmt.Errorf("at byte %d: not UTF-8", u.checked)
		}
		u.checked += int64(valid)
		text = text[valid:]
	}
	u.tail = append(u.tail[:0], text...)
	return n, err
}

// validPrefix counts the bytes before the first that is not UTF-8.
func validPrefix(text []byte) int {
	if utf8.Valid(text) {
		return len(text)
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(text)
}

// skipBOM passes over a byte order mark.
func skipBOM(r io.Reader) io.Reader {
	reader := bufio.NewReader(r)
	if start, _ := reader.Peek(len(byteOrderMark)); bytes.Equal(start, []byte(byteOrderMark)) {
		_, _ = reader.Discard(len(byteOrderMark)) // they are buffered
	}
	return reader
}
