package metrics

import "strings"

// hyphenated tries words and numbers with hyphens, slashes and ampersands in
// them, which the Penn Treebank leaves whole.
func (s *scanner) hyphenated(m *match) {
	s.special(m)
	s.slashed(m)
	s.hyphenWord(m)
	if end := s.thingEnd(); end > 0 {
		m.longer(match{end: end, style: quoted})
		if s.byteAt(end) == '.' && isInSentence(s.byteAt(end+1)) {
			m.longer(match{end: end + 1, reach: end + 2, style: quoted})
		}
	}
	s.company(m)
}

// special tries what is spelled with hyphens and ampersands of its own.
func (s *scanner) special(m *match) {
	for _, w := range [...]string{"pro-", "anti-", "c.d.s", "s&p-500", "s&amp;p-500", "s&ls", "s&amp;ls",
		"-lrb-", "-rrb-", "-lcb-", "-rcb-", "-lsb-", "-rsb-", "e!", "yahoo!", "jeopardy!"} {
		if s.hasFold(s.at, w) {
			m.longer(match{end: s.at + len(w), style: entity})
		}
	}
}

// thingEnd returns the end of words and numbers joined by hyphens or
// underscores ("12-year-old", "d'Avignon-5"), or 0. A sign may lead.
func (s *scanner) thingEnd() int {
	begin := s.at
	if c := s.byteAt(begin); c == '-' || c == '+' {
		begin++
	}
	end := s.thingPart(begin, begin == s.at)
	if end == 0 {
		return 0
	}
	for {
		r, size := s.runeAt(end)
		switch r {
		case '-', '_', '\u058A', '\u2010', '\u2011':
		default:
			return end
		}
		next := s.thingPart(end+size, true)
		if next == 0 {
			return end
		}
		end = next
	}
}

// thingPart returns the end of one part of a thing at i, or 0: letters and
// digits, also behind a d', o' or l', or a number. Behind a sign only a number
// will do.
func (s *scanner) thingPart(i int, letters bool) int {
	number := s.numberEnd(i)
	if !letters {
		return number
	}
	begin := i
	if strings.IndexByte("dolDOL", s.byteAt(i)) >= 0 {
		if n := s.apostropheOrAlike(i + 1); n > 0 {
			// The lexer wants one letter for the apostrophe, and one to go on with.
			if _, size := s.runeAt(i + 1 + n); s.alphanumerics(i+1+n) > i+1+n+size {
				begin = i + 1 + n
			}
		}
	}
	if end := s.alphanumerics(begin); end > begin {
		return max(end, number)
	}
	return number
}

// hyphenWord tries a hyphenated word whose first part may hold points and
// commas, and whose others may be initials ("pre-U.S."). What follows may be no
// full stop, except before a comma.
func (s *scanner) hyphenWord(m *match) {
	end := s.alphanumerics(s.at)
	if end == s.at {
		return
	}
	for s.byteAt(end) == '.' || s.byteAt(end) == ',' {
		end = s.alphanumerics(end + 1)
	}
	for s.byteAt(end) == '-' {
		next := s.alphanumerics(end + 1)
		if initials := s.joinedInitials(end + 1); initials > next {
			next = initials
		}
		if next == end+1 {
			return
		}
		end = next
		switch c := s.byteAt(end); {
		case c == '.' && isInSentence(s.byteAt(end+1)):
			m.longer(match{end: end + 1, reach: end + 2, style: word})
		case c != '.' && c != '+':
			m.longer(match{end: end, reach: end + 1, style: word})
		}
	}
}

// joinedInitials returns the end of at least two initials at i with a full stop
// behind each, or 0.
func (s *scanner) joinedInitials(i int) int {
	end := i
	for isASCIILetter(s.byteAt(end)) && s.byteAt(end+1) == '.' {
		end += 2
	}
	if end < i+4 {
		return 0
	}
	return end
}

// slashed tries two or three words joined by slashes, each with up to two
// hyphens: "black/white", "and/or".
func (s *scanner) slashed(m *match) {
	end := s.slashPart(s.at)
	for n := 0; n < 2 && end > 0; n++ {
		if s.byteAt(end) == '\\' {
			end++
		}
		if s.byteAt(end) != '/' {
			return
		}
		if end = s.slashPart(end + 1); end > 0 {
			m.longer(match{end: end, style: escaped})
		}
	}
}

// slashPart returns the end of one word of a slashed one, or 0.
func (s *scanner) slashPart(i int) int {
	end := s.alphanumerics(i)
	if end == i {
		return 0
	}
	for range 2 {
		if s.byteAt(end) != '-' {
			break
		}
		next := s.run(end+1, isASCIILetter)
		if next == end+1 {
			break
		}
		end = next
	}
	return end
}

// company tries capitals joined by ampersands or plus signs ("AT&T"), or before
// a dollar sign ("US$").
func (s *scanner) company(m *match) {
	capital := func(c byte) bool { return 'A' <= c && c <= 'Z' }
	end := s.run(s.at, capital)
	if s.byteAt(end) == '$' {
		m.longer(match{end: end + 1})
		return
	}
	for end > s.at {
		next := end + 1
		switch {
		case s.hasFold(end, "&amp;"):
			next = end + len("&amp;")
		case s.byteAt(end) != '&' && s.byteAt(end) != '+':
			return
		}
		last := s.run(next, capital)
		if last == next {
			return
		}
		end = last
		m.longer(match{end: end, style: entity})
		if s.byteAt(end) == '.' && isInSentence(s.byteAt(end+1)) {
			m.longer(match{end: end + 1, reach: end + 2, style: entity})
		}
	}
}
