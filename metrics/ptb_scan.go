package metrics

import (
	"strings"
	"unicode/utf8"
)

// scanner cuts a text into tokens by the rule of generated lexers: at each
// place the pattern that reaches farthest wins, its context included, and among
// equals the one that is tried first.
type scanner struct {
	text  string
	lower string // text in lower case, where that keeps every byte's place; else empty
	at    int
	view  string // the beginning of text, as far as patterns may look
	queue string // a token that the last one left to say
}

// maxToken is how far patterns look ahead, in bytes, so that the time is linear
// even in text that was made to take long. A longer token is cut.
const maxToken = 256

func newScanner(text string) scanner {
	if isASCII(text) {
		return scanner{text: text, lower: strings.ToLower(text)}
	}
	return scanner{text: text}
}

// style says how a piece of text becomes a token.
type style uint8

const (
	plain   style = iota // as it is
	escaped              // slashes and asterisks behind a backslash, as the Penn Treebank has them
	quoted               // apostrophes of all kinds become '
	entity               // &amp; becomes &
	word                 // soft hyphens are removed
	spaced               // spaces become no-break spaces, round brackets -lrb- and -rrb-
	skipped              // no token
)

// match is a pattern that fits: the token ends at end, what had to follow it at
// reach.
type match struct {
	end, reach int
	style      style
	token      string // the token, where it is not the text in that style
	then       string // a token that follows it without text of its own
}

// longer keeps the match that reaches farthest, and the earlier one of equals.
func (m *match) longer(other match) {
	if other.reach == 0 {
		other.reach = other.end
	}
	if other.reach > m.reach {
		*m = other
	}
}

// next returns the next token in lower case.
func (s *scanner) next() (token string, ok bool) {
	if s.queue != "" {
		token, s.queue = s.queue, ""
		return token, true
	}
	for s.at < len(s.text) {
		if isSpace(s.text[s.at]) {
			s.at++
			continue
		}
		begin := s.at
		s.view = s.text
		if end := s.plainWord(); end > 0 {
			s.at = end
			return s.slice(begin, end), true
		}
		s.narrow()
		m := s.longest()
		s.at = m.end
		s.queue = m.then
		if m.style == skipped {
			continue
		}
		if token = s.render(begin, m); token != "" { // a soft hyphen alone
			return token, true
		}
	}
	return "", false
}

// narrow shortens the view to maxToken bytes of whole runes.
func (s *scanner) narrow() {
	end := s.at + maxToken
	if end >= len(s.text) {
		return
	}
	for range utf8.UTFMax - 1 {
		if utf8.RuneStart(s.text[end]) {
			break
		}
		end--
	}
	s.view = s.text[:end]
}

// plainWord is the way of nearly all tokens: a run of ASCII letters before a
// space, the end, or a mark before one of these. It returns 0 where any other
// pattern may fit.
func (s *scanner) plainWord() (end int) {
	i, limit := s.at, min(s.at+maxToken, len(s.text))
	for i < limit && isASCIILetter(s.text[i]) {
		i++
	}
	n := i - s.at
	if n == 0 {
		return 0
	}
	switch c := s.byteAt(i); {
	case isSpace(c):
	case c == '.' && isSpace(s.byteAt(i+1)):
		// An abbreviation keeps its full stop, and so does an initial.
		if n == 1 || abbreviationOf(s.text[s.at:i]) != notAbbreviated {
			return 0
		}
	case c == ',' && isSpace(s.byteAt(i+1)):
	default:
		return 0
	}
	if n >= 5 && n <= 6 && assimilated(s.text[s.at:i]) > 0 {
		return 0
	}
	return i
}

// longest tries every pattern that may begin where the scanner stands.
func (s *scanner) longest() match {
	var m match
	r, size := s.runeAt(s.at)
	switch {
	case isLetter(r) || s.letterEntity(s.at) > 0:
		s.words(&m)
		s.names(&m)
		s.numbers(&m)
		s.hyphenated(&m)
	case isDigit(r):
		s.names(&m)
		s.numbers(&m)
		s.hyphenated(&m)
	default:
		s.entities(&m)
		s.names(&m)
		s.clitics(&m)
		s.numbers(&m)
		s.hyphenated(&m)
		s.symbols(&m)
	}
	if m.reach == 0 {
		return match{end: s.at + size, style: skipped} // untokenizable
	}
	return m
}

// slice returns text[begin:end] in lower case.
func (s *scanner) slice(begin, end int) string {
	if s.lower != "" {
		return s.lower[begin:end]
	}
	return strings.ToLower(s.text[begin:end])
}

// byteAt returns a byte of the view; behind its end stands a newline, as in the
// file that the official tokenizer reads.
func (s *scanner) byteAt(i int) byte {
	if i < len(s.view) {
		return s.view[i]
	}
	return '\n'
}

// runeAt is byteAt for runes.
func (s *scanner) runeAt(i int) (r rune, size int) {
	if i < len(s.view) {
		return utf8.DecodeRuneInString(s.view[i:])
	}
	return '\n', 1
}
