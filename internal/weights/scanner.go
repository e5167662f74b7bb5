package weights

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads the JSON that a safetensors header may consist of: objects,
// strings, and arrays of non-negative integers. encoding/json is not used
// because it accepts duplicate keys and takes several times the memory that a
// header of a million names may cost. What nests, and how deep, is up to the
// caller, so that no text can make it recurse.
type scanner struct {
	text string // valid UTF-8
	pos  int
}

// errorf says where the text is wrong.
func (s *scanner) errorf(format string, args ...any) error {
	return fmt.Errorf("byte %d: %s", s.pos, fmt.Sprintf(format, args...))
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// accept skips the byte c if it comes next.
func (s *scanner) accept(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// expect skips the byte c, which has to come next.
func (s *scanner) expect(c byte) error {
	switch {
	case s.accept(c):
		return nil
	case s.pos == len(s.text):
		return s.errorf("the text ends where %q is due", c)
	}
	return s.errorf("%q where %q is due", s.text[s.pos], c)
}

// object reads an object: member is called with each key and reads the value.
func (s *scanner) object(member func(key string) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	if s.accept('}') {
		return nil
	}
	for {
		key, err := s.str()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
		if !s.accept(',') {
			return s.expect('}')
		}
	}
}

// ints reads an array of at most len(dst) integers and returns their number.
func (s *scanner) ints(dst []int) (int, error) {
	if err := s.expect('['); err != nil {
		return 0, err
	}
	if s.accept(']') {
		return 0, nil
	}
	for n := 0; ; {
		if n == len(dst) {
			return 0, s.errorf("more than %d numbers", len(dst))
		}
		var err error
		if dst[n], err = s.int(); err != nil {
			return 0, err
		}
		n++
		if !s.accept(',') {
			return n, s.expect(']')
		}
	}
}

// int reads a non-negative integer without exponent or leading zero.
func (s *scanner) int() (int, error) {
	if s.peek() == '-' {
		return 0, s.errorf("a negative number")
	}
	n, start := 0, s.pos
	for ; s.pos < len(s.text); s.pos++ {
		digit := int(s.text[s.pos]) - '0'
		if digit < 0 || digit > 9 {
			break
		}
		if n > (math.MaxInt-digit)/10 {
			return 0, s.errorf("a number above %d", math.MaxInt)
		}
		n = 10*n + digit
	}
	if digits := s.pos - start; digits == 0 || digits > 1 && s.text[start] == '0' {
		return 0, s.errorf("not a whole number")
	}
	return n, nil
}

// str reads a string. Without escapes, as nearly all are, it is a piece of
// the text and costs nothing.
func (s *scanner) str() (string, error) {
	if err := s.expect('"'); err != nil {
		return "", err
	}
	start, escaped := s.pos, false
	for ; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '"':
			raw := s.text[start:s.pos]
			s.pos++
			if escaped {
				return unescape(raw)
			}
			return raw, nil
		case c == '\\':
			escaped = true
			s.pos++ // whatever follows, it does not end the string
		case c < ' ':
			return "", s.errorf("a control character in a string")
		}
	}
	return "", s.errorf("the text ends inside a string")
}

// unescape resolves the backslashes of a JSON string.
func unescape(raw string) (string, error) {
	var out strings.Builder
	out.Grow(len(raw))
	for {
		i := strings.IndexByte(raw, '\\')
		if i < 0 {
			out.WriteString(raw)
			return out.String(), nil
		}
		out.WriteString(raw[:i])
		raw = raw[i+1:] // not empty: str skipped a byte after each backslash
		if c := strings.IndexByte(`"\/bfnrt`, raw[0]); c >= 0 {
			out.WriteByte("\"\\/\b\f\n\r\t"[c])
			raw = raw[1:]
			continue
		}
		unit, ok := codeUnit(raw)
		if !ok {
			return "", errors.New("a wrong escape in a string")
		}
		raw = raw[5:]
		if utf16.IsSurrogate(unit) {
			second, _ := strings.CutPrefix(raw, `\`)
			low, _ := codeUnit(second)
			if unit = utf16.DecodeRune(unit, low); unit == utf8.RuneError || len(second) == len(raw) {
				return "", errors.New("half a surrogate pair in a string")
			}
			raw = second[5:]
		}
		out.WriteRune(unit)
	}
}

// codeUnit reads the UTF-16 code unit of u and four hexadecimal digits.
func codeUnit(raw string) (rune, bool) {
	if len(raw) < 5 || raw[0] != 'u' {
		return 0, false
	}
	var unit rune
	for i := 1; i < 5; i++ {
		digit := strings.IndexByte("0123456789abcdef", raw[i]|0x20)
		if digit < 0 {
			return 0, false
		}
		unit = unit<<4 | rune(digit)
	}
	return unit, true
}
