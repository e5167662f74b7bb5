package pickle

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What protocol 0 spells in lines, and Python 2's strings.

// decimal pushes a number in digits.
func (m *Machine) decimal(op byte) error {
	line, err := m.line(maxGlobal)
	if err != nil {
		return err
	}
	switch digits := string(line); {
	case op == opFloat:
		x, err := strconv.ParseFloat(digits, 64)
		return m.pushNew(costNumber, x, err)
	case op == opInt && (digits == "00" || digits == "01"):
		return m.push(digits == "01")
	default:
		n, err := strconv.ParseInt(strings.TrimSuffix(digits, "L"), 10, 64)
		return m.pushNew(costNumber, n, err)
	}
}

// binString pushes a string of Python 2 behind a length of width bytes.
func (m *Machine) binString(width uint64) error {
	b, err := m.counted(width)
	return m.python2(b, m.stream != nil, err)
}

// python2 pushes a string of Python 2, which serves for texts and for bytes: a string
// where it is UTF-8, else Bytes.
func (m *Machine) python2(b []byte, overwritten bool, err error) error {
	if err != nil || !utf8.Valid(b) {
		return m.pushBytes(b, overwritten, err)
	}
	text, err := m.Resolver.Text(b)
	return m.pushNew(0, text, err)
}

// escaped pushes a text of protocol 0: Python 2's string in quotes, its bytes escaped,
// or unicode, its characters escaped.
func (m *Machine) escaped(quoted bool) error {
	line, err := m.line(math.MaxInt - len(m.in))
	if err != nil {
		return err
	}
	if quoted {
		if len(line) < 2 || line[0] != line[len(line)-1] || line[0] != '\'' && line[0] != '"' {
			return fmt.Errorf("a text without its quotes: %.40q", line)
		}
		line = line[1 : len(line)-1]
	}
	if err := m.Budget.Take(3 * len(line)); err != nil { // room for it, as it grows
		return err
	}
	m.scratch, err = appendUnescaped(m.scratch[:0], string(line), quoted)
	return m.python2(m.scratch, true, err)
}

func appendUnescaped(text []byte, line string, quoted bool) ([]byte, error) {
	for line != "" {
		if line[0] != '\\' || !quoted && !strings.HasPrefix(line, `\u`) && !strings.HasPrefix(line, `\U`) {
			if quoted {
				text = append(text, line[0])
			} else {
				text = utf8.AppendRune(text, rune(line[0])) // Latin-1
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
			return text, fmt.Errorf("a wrong escape in %.40q", line)
		case wide:
			text = utf8.AppendRune(text, char)
		default:
			text = append(text, byte(char))
		}
		line = rest
	}
	return text, nil
}
