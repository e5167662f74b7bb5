package metrics

import (
	"strings"
	"unicode/utf8"
)

// symbols tries quotes, brackets and all that stands alone.
func (s *scanner) symbols(m *match) {
	s.quotes(m)
	s.smiley(m)
	s.dots(m)
	c := s.byteAt(s.at)
	same := func(b byte) bool { return b == c }
	switch c {
	case '{', '}', '(', ')', '[', ']':
		m.longer(match{end: s.at + 1, token: bracket(c)})
	case '-':
		end := s.run(s.at, same)
		if n := end - s.at; n == 3 || n == 4 {
			m.longer(match{end: end, token: "--"})
		}
		m.longer(match{end: end})
	case '@', '_', '#', '=':
		m.longer(match{end: s.run(s.at, same)})
	case '*':
		m.longer(match{end: s.run(s.at, same), style: escaped})
	case '/':
		m.longer(match{end: s.at + 1, style: escaped})
	case '?', '!':
		m.longer(match{end: s.run(s.at, func(b byte) bool { return b == '?' || b == '!' })})
	case '<', '>':
		m.longer(match{end: min(s.run(s.at, same), s.at+2)})
	case ',', ';', ':', '.', '+', '%', '&', '~', '^', '|', '\\':
		m.longer(match{end: s.at + 1})
	default:
		s.beyondASCII(m)
	}
}

// bracket returns the Penn Treebank's name of a bracket, in lower case. That is
// why brackets stay: coco-caption's list of punctuation has it in capitals.
func bracket(c byte) string {
	switch c {
	case '(':
		return "-lrb-"
	case ')':
		return "-rrb-"
	case '{':
		return "-lcb-"
	case '}':
		return "-rcb-"
	case '[':
		return "-lsb-"
	default:
		return "-rsb-"
	}
}

// smiley tries a smiley that no letter or digit follows.
func (s *scanner) smiley(m *match) {
	i := s.at
	if c := s.byteAt(i); c == '<' || c == '>' {
		i++
	}
	if strings.IndexByte(":;=", s.byteAt(i)) < 0 {
		return
	}
	i++
	if strings.IndexByte("-o*'", s.byteAt(i)) >= 0 && s.isMouth(i+1) {
		i++
	}
	if s.isMouth(i) {
		m.longer(match{end: i + 1, reach: i + 2, style: spaced})
	}
}

// isMouth tells whether a smiley may end with the byte at i.
func (s *scanner) isMouth(i int) bool {
	return strings.IndexByte("()DPdpO\\{@|[]", s.byteAt(i)) >= 0 && !isAlphanumeric(s.byteAt(i+1))
}

// dots tries three to five full stops, also with spaces between.
func (s *scanner) dots(m *match) {
	if s.byteAt(s.at) != '.' {
		return
	}
	const least, most = 3, 5
	end := s.at
	for end < s.at+most && s.byteAt(end) == '.' {
		end++
	}
	if end >= s.at+least {
		m.longer(match{end: end, token: "..."})
		return
	}
	end = s.at + 1
	for n := 2; n <= most && s.byteAt(end) == ' ' && s.byteAt(end+1) == '.'; n++ {
		if end += 2; n >= least {
			m.longer(match{end: end, token: "..."})
		}
	}
}

// beyondASCII tries the symbols that the lexer knows. It drops all others,
// emoji among them.
func (s *scanner) beyondASCII(m *match) {
	r, size := s.runeAt(s.at)
	end := s.at + size
	switch {
	case r < utf8.RuneSelf || r > 0xFFFF:
	case r == '\u00A0' || isSpaceRune(r) || r == '\u200B' || r == '\uFEFF':
	case r >= 0x2013 && r <= 0x2015 || r == 0x96 || r == 0x97:
		m.longer(match{end: end, token: "--"})
	case r == '\u2026' || r == 0x85:
		m.longer(match{end: end, token: "..."})
	case r == '°' && (s.byteAt(end) == 'C' || s.byteAt(end) == 'F'):
		m.longer(match{end: end + 1})
	case named(r) != "":
		m.longer(match{end: end, token: named(r)})
	case isSymbol(r):
		m.longer(match{end: end})
	}
}

// named returns what the Penn Treebank writes for a fraction or a currency. The
// pound is a number sign there, and most other currencies are dollars.
func named(r rune) string {
	switch r {
	case '¼':
		return `1\/4`
	case '½':
		return `1\/2`
	case '¾':
		return `3\/4`
	case '⅓':
		return `1\/3`
	case '⅔':
		return `2\/3`
	case '¢':
		return "cents"
	case '£':
		return "#"
	case '¤', '€', '\u20A0', '\u0080':
		return "$"
	}
	return ""
}

// isSymbol tells the symbols that are tokens by themselves.
func isSymbol(r rune) bool {
	switch {
	case r >= 0xA1 && r <= 0xBF, r == '×', r == '÷':
		return true
	case r >= 0x2016 && r <= 0x2044, r >= 0x2070 && r <= 0x20BF:
		return true
	case r >= 0x2100 && r <= 0x2BFF, r >= 0x3001 && r <= 0x3020:
		return true
	}
	return r >= 0xFF01 && r <= 0xFF65
}
