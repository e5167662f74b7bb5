package metrics

import "strings"

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
