package metrics

import (
	"strings"
	"unicode/utf8"
)

// entities tries tags and characters written as &name;.
func (s *scanner) entities(m *match) {
	switch s.byteAt(s.at) {
	case '<':
		if end := s.tagEnd(); end > 0 {
			m.longer(match{end: end, style: spaced})
		}
	case '&':
		for _, e := range [...]struct{ name, token string }{
			{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "''"},
			{"&mdash;", "--"}, {"&ndash;", "--"}, {"&md;", "--"},
		} {
			if s.hasFold(s.at, e.name) {
				m.longer(match{end: s.at + len(e.name), token: e.token})
			}
		}
		if s.hasFold(s.at, "&nbsp;") {
			m.longer(match{end: s.at + len("&nbsp;"), style: skipped})
		}
	}
}

// tagEnd returns the end of the tag at hand, such as <unk> or </b>, or 0.
func (s *scanner) tagEnd() int {
	i := s.at + 1
	c := s.byteAt(i)
	closing := strings.IndexByte(s.view[i:], '>')
	if closing < 0 {
		return 0
	}
	end := i + closing + 1
	if c == '!' || c == '?' {
		if next := s.byteAt(i + 1); isASCIILetter(next) || next == '-' {
			return end
		}
		return 0
	}
	if c == '/' {
		i++
	}
	if !isASCIILetter(s.byteAt(i)) {
		return 0
	}
	name := func(c byte) bool { return isAlphanumeric(c) || strings.IndexByte("_:.-", c) >= 0 }
	i = s.run(i, name)
	if s.areAttributes(s.view[i : end-1]) {
		return end
	}
	return 0
}

// areAttributes tells whether the inside of a tag behind its name is a list of
// attributes: names, which may have values.
func (s *scanner) areAttributes(inside string) bool {
	inside = strings.TrimSuffix(strings.TrimRight(inside, " "), "/")
	for _, field := range strings.Fields(inside) {
		name, value, _ := strings.Cut(field, "=")
		if name == "" || !isASCIILetter(name[0]) || strings.ContainsAny(value, "=<") {
			return false
		}
	}
	return inside == "" || inside[0] == ' '
}

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

// quotes tries quotation marks. Which side they are of matters little, since
// all are dropped in the end.
func (s *scanner) quotes(m *match) {
	r, size := s.runeAt(s.at)
	switch r {
	case '"':
		m.longer(match{end: s.at + 1, token: "''"})
		return
	case '\'', '\u2019', '\u0092', '&':
		n := s.apostrophe(s.at)
		if n == 0 {
			return
		}
		if s.apostrophe(s.at+n) > 0 {
			m.longer(match{end: s.at + n + s.apostrophe(s.at+n), token: "''"})
		}
		// A quote before a word opens it, unless a clitic or so reaches as far.
		next, width := s.runeAt(s.at + n)
		if after, _ := s.runeAt(s.at + n + width); isLetter(next) &&
			(!isSpaceRune(after) || strings.ContainsRune("AaIiUu", next)) {
			m.longer(match{end: s.at + n, reach: s.at + n + width + 1, token: "`"})
		}
		m.longer(match{end: s.at + n, token: "'"})
		return
	}
	if left, ok := quoteSide(r); ok {
		end := s.at + size
		if next, width := s.runeAt(end); next == r {
			end += width
		}
		token := "''"
		if left {
			token = "``"
		}
		m.longer(match{end: end, token: token})
	}
}

// quoteSide tells quotation marks other than the straight ones, and whether
// they open.
func quoteSide(r rune) (left, ok bool) {
	switch r {
	case '`', '\u2018', '\u201A', '\u201B', '\u201C', '\u201E', '\u201F', '\u2039', '\u00AB',
		'\u0082', '\u0084', '\u0091', '\u0093':
		return true, true
	case '\u201D', '\u203A', '\u00BB', '\u0094':
		return false, true
	}
	return false, false
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
