package pickle

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// literal pushes what op and the bytes behind it spell. Source of the opcodes: CPython,
// Lib/pickletools.py.
func (m *machine) literal(op byte) error {
	switch op {
	case 0x80: // the protocol's number
		_, err := m.take(1)
		return err
	case 0x95: // a frame, which means nothing but for buffering
		_, err := m.take(8)
		return err
	case 'N':
		return m.push(nil)
	case 0x88, 0x89:
		return m.push(float64(0x89 - op))
	case 'I', 'L', 'F':
		line, err := m.line()
		if err != nil {
			return err
		}
		n, err := strconv.ParseFloat(strings.TrimSuffix(line, "L"), 64)
		return m.pushIf(n, err)
	case 'K', 'M', 'J', 0x8a:
		return m.integer(op)
	case 'G':
		b, err := m.take(8)
		if err != nil {
			return err
		}
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	case 'S', 'V':
		line, err := m.line()
		if err != nil {
			return err
		}
		text, err := unescape(line, op == 'S')
		return m.pushIf(text, err)
	case 'U', 0x8c:
		return m.text(1)
	case 'T', 'X':
		return m.text(4)
	case 'C', 'B':
		b, err := m.counted(map[byte]int{'C': 1, 'B': 4}[op])
		return m.pushIf(raw(b), err)
	case 'c', 0x93:
		return m.global(op)
	}
	return fmt.Errorf("opcode 0x%02x, which document frequencies do not need", op)
}

// take returns the next n bytes, valid until the next call.
func (m *machine) take(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(m.in, b)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

// uint returns the next little-endian number of so many bytes.
func (m *machine) uint(width int) (uint64, error) {
	var full [8]byte
	b, err := m.take(width)
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:]), err
}

// line returns what comes before the end of the line.
func (m *machine) line() (string, error) {
	var line []byte
	for {
		b, err := m.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return "", io.ErrUnexpectedEOF
		case err != nil:
			return "", err
		case b == '\n':
			return string(line), nil
		case len(line) == maxText:
			return "", fmt.Errorf("a line of more than %d bytes", maxText)
		}
		line = append(line, b)
	}
}

// counted returns the bytes behind a length of so many bytes.
func (m *machine) counted(width int) ([]byte, error) {
	n, err := m.uint(width)
	if err != nil {
		return nil, err
	}
	if n > maxText {
		return nil, fmt.Errorf("a text of %d bytes", n)
	}
	return m.take(int(n))
}

func (m *machine) text(width int) error {
	b, err := m.counted(width)
	return m.pushIf(string(b), err)
}

// integer pushes a number: 1 or 2 bytes without sign, 4 with one, or so many bytes as a
// byte before them says, with one.
func (m *machine) integer(op byte) error {
	width := map[byte]int{'K': 1, 'M': 2, 'J': 4}[op]
	if op == 0x8a {
		n, err := m.uint(1)
		if err != nil || n > 8 {
			return cmp.Or(err, fmt.Errorf("an integer of %d bytes", n))
		}
		width = int(n)
	}
	n, err := m.uint(width)
	if op == 'J' || op == 0x8a {
		unused := 64 - 8*width
		return m.pushIf(float64(int64(n<<unused)>>unused), err)
	}
	return m.pushIf(float64(n), err)
}

// unescape reads a text of protocol 0: Python 2's str in quotes, its bytes escaped, or
// unicode, its characters escaped.
func unescape(line string, quoted bool) (string, error) {
	if quoted {
		if len(line) < 2 || line[0] != line[len(line)-1] || line[0] != '\'' && line[0] != '"' {
			return "", fmt.Errorf("a text without its quotes: %.40q", line)
		}
		line = line[1 : len(line)-1]
	}
	var text strings.Builder
	for line != "" {
		if line[0] != '\\' || !quoted && !strings.HasPrefix(line, `\u`) && !strings.HasPrefix(line, `\U`) {
			if quoted {
				text.WriteByte(line[0])
			} else {
				text.WriteRune(rune(line[0])) // Latin-1
			}
			line = line[1:]
			continue
		}
		quote := byte('"')
		if strings.HasPrefix(line, `\'`) {
			quote = '\''
		}
		char, wide, rest, err := strconv.UnquoteChar(line, quote)
		switch {
		case err != nil:
			return "", fmt.Errorf("a wrong escape in %.40q", line)
		case wide:
			text.WriteRune(char)
		default:
			text.WriteByte(byte(char))
		}
		line = rest
	}
	return text.String(), nil
}
