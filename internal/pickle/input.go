package pickle

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// take returns the next n bytes of the pickle, those of a stream until the next call.
func (m *Machine) take(n uint64) ([]byte, error) {
	if m.stream != nil {
		return m.takeStream(n)
	}
	if left := len(m.in) - m.pos; n > uint64(left) {
		return nil, missing(n, left)
	}
	b := m.in[m.pos : m.pos+int(n)]
	m.pos += int(n)
	return b, nil
}

func missing(n uint64, left int) error {
	return fmt.Errorf("%d bytes are due, but %d are left", n, left)
}

func (m *Machine) takeStream(n uint64) ([]byte, error) {
	if n > uint64(m.stream.Size()) {
		return nil, fmt.Errorf("%d bytes are due at once, more than %d", n, m.stream.Size())
	}
	b, err := m.stream.Peek(int(n))
	switch {
	case errors.Is(err, io.EOF):
		return nil, missing(n, len(b))
	case err != nil:
		return nil, err
	}
	_, err = m.stream.Discard(int(n))
	m.passed(len(b))
	return b, err
}

// passed notes that n bytes of the stream were read.
func (m *Machine) passed(n int) {
	m.pos += n
	m.Budget.left += 4 * n
}

// line returns what comes before the end of the line, at most so many bytes, those of
// a stream until the next call.
func (m *Machine) line(most int) ([]byte, error) {
	if m.stream != nil {
		b, err := m.stream.ReadSlice('\n')
		m.passed(len(b))
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		if err != nil || len(b) > most {
			return nil, endless(most)
		}
		return b[:len(b)-1], nil
	}
	n := bytes.IndexByte(m.in[m.pos:min(len(m.in), m.pos+most)], '\n')
	if n < 0 {
		return nil, endless(most)
	}
	b := m.in[m.pos : m.pos+n]
	m.pos += n + 1
	return b, nil
}

func endless(most int) error { return fmt.Errorf("a line without end in %d bytes", most) }
