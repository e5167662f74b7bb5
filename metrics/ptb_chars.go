package metrics

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// softHyphen is invisible unless a line breaks there; tokens lose it.
const softHyphen = '\u00AD'

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isSpace tells whether a byte is white space. Newlines within a caption count
// as spaces, because coco-caption replaces them by spaces.
func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'
}

// isSpaceRune is isSpace beyond ASCII.
func isSpaceRune(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return isSpace(byte(r))
	case r >= 0x2000 && r <= 0x200A:
		return true
	}
	return r == 0xA0 || r == 0x3000 || r == 0x2028 || r == 0x2029
}

func isASCIILetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isASCIIDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isAlphanumeric(c byte) bool {
	return isASCIILetter(c) || isASCIIDigit(c)
}

// isLetter takes in the marks that join a letter and the soft hyphen.
func isLetter(r rune) bool {
	if r < utf8.RuneSelf {
		return isASCIILetter(byte(r))
	}
	return r == softHyphen || unicode.In(r, unicode.L, unicode.Mn, unicode.Mc) && r != utf8.RuneError
}

func isDigit(r rune) bool {
	if r < utf8.RuneSelf {
		return isASCIIDigit(byte(r))
	}
	return unicode.Is(unicode.Nd, r)
}

// apostrophe returns the length of the apostrophe at i, or 0: straight, curly,
// as CP1252 has it, or as an entity.
func (s *scanner) apostrophe(i int) int {
	switch r, size := s.runeAt(i); r {
	case '\'', '\u2019', '\u0092':
		return size
	case '&':
		if strings.HasPrefix(s.view[i:], "&apos;") {
			return len("&apos;")
		}
	}
	return 0
}

// apostropheOrAlike also takes what people type for an apostrophe in a word.
func (s *scanner) apostropheOrAlike(i int) int {
	switch r, size := s.runeAt(i); r {
	case '\u0091', '\u2018', '\u201B':
		return size
	}
	return s.apostrophe(i)
}

// alphanumerics returns the end of the letters and digits of any script at i.
func (s *scanner) alphanumerics(i int) int {
	for i < len(s.view) {
		r, size := s.runeAt(i)
		if !isLetter(r) && !isDigit(r) {
			break
		}
		i += size
	}
	return i
}

// letterEntity returns the length of an accented vowel written as &eacute; at
// i, which counts as a letter, or 0.
func (s *scanner) letterEntity(i int) int {
	if s.byteAt(i) != '&' || !strings.ContainsRune("aeiouAEIOU", rune(s.byteAt(i+1))) {
		return 0
	}
	for _, accent := range [...]string{"acute;", "grave;", "uml;"} {
		if s.hasFold(i+2, accent) {
			return 2 + len(accent)
		}
	}
	return 0
}

// hasFold tells whether the text goes on with the ASCII word, in any case.
func (s *scanner) hasFold(i int, word string) bool {
	return i+len(word) <= len(s.view) && strings.EqualFold(s.view[i:i+len(word)], word)
}

// run returns the end of the longest run of bytes from i on that are wanted.
func (s *scanner) run(i int, want func(byte) bool) int {
	for i < len(s.view) && want(s.view[i]) {
		i++
	}
	return i
}

// render makes the token of a match.
func (s *scanner) render(begin int, m match) string {
	if m.token != "" {
		return m.token
	}
	switch token := s.slice(begin, m.end); m.style {
	case escaped:
		return escape(token)
	case quoted:
		return straighten(token)
	case entity:
		return strings.ReplaceAll(token, "&amp;", "&")
	case word:
		if s.lower != "" {
			return token
		}
		return strings.ReplaceAll(token, string(softHyphen), "")
	case spaced:
		token = strings.Map(func(r rune) rune {
			if isSpaceRune(r) {
				return '\u00A0'
			}
			return r
		}, token)
		token = strings.ReplaceAll(token, "(", bracket('('))
		return strings.ReplaceAll(token, ")", bracket(')'))
	default:
		return token
	}
}

// escape puts a backslash before slashes and asterisks that have none.
func escape(token string) string {
	if !strings.ContainsAny(token, "/*") {
		return token
	}
	var b strings.Builder
	for i := range len(token) {
		if (token[i] == '/' || token[i] == '*') && (i == 0 || token[i-1] != '\\') {
			b.WriteByte('\\')
		}
		b.WriteByte(token[i])
	}
	return b.String()
}

// straighten writes apostrophes as the Penn Treebank does.
func straighten(token string) string {
	token = strings.ReplaceAll(token, "&apos;", "'")
	return strings.Map(func(r rune) rune {
		switch r {
		case '\u2019', '\u0092':
			return '\''
		case '\u2018', '\u0091', '\u201B':
			return '`'
		}
		return r
	}, token)
}
