package metrics

import "strings"

// numbers tries numbers, dates, fractions, degrees and telephone numbers.
func (s *scanner) numbers(m *match) {
	s.date(m)
	begin := s.at
	if c := s.byteAt(begin); c == '-' || c == '+' {
		begin++
	}
	if end := s.numberEnd(begin); end > 0 {
		m.longer(match{end: end, style: word})
	}
	s.fraction(m)
	s.phone(m)
}

// digitsEnd returns the end of the digits at i, most at a time at most.
func (s *scanner) digitsEnd(i, most int) int {
	for n := 0; n < most && i < len(s.view); n++ {
		r, size := s.runeAt(i)
		if !isDigit(r) {
			break
		}
		i += size
	}
	return i
}

// numberEnd returns the end of the number at i: digits joined by points, commas
// or colons, of which the first two may also lead. It returns 0 for none.
func (s *scanner) numberEnd(i int) int {
	end := s.digitsEnd(i, len(s.view))
	if end == i && s.byteAt(i) != '.' && s.byteAt(i) != ',' {
		return 0
	}
	for {
		r, size := s.runeAt(end)
		switch r {
		case '.', ',', ':', softHyphen, '\u066B', '\u066C':
		default:
			size = 0
		}
		next := s.digitsEnd(end+size, len(s.view))
		if size == 0 || next == end+size {
			break
		}
		end = next
	}
	if end == i {
		return 0
	}
	return end
}

// date tries 12/24/2013 and 24-12-13.
func (s *scanner) date(m *match) {
	i := s.at
	for part, most := range [...]int{2, 2, 4} {
		if part > 0 {
			if c := s.byteAt(i); c != '-' && c != '/' {
				return
			}
			i++
		}
		end := s.digitsEnd(i, most)
		if end == i || part == 2 && end == s.digitsEnd(i, 1) {
			return
		}
		i = end
	}
	m.longer(match{end: i, style: escaped})
}

// fraction tries 1/2, 1-1/2, 1 1/2 and ½.
func (s *scanner) fraction(m *match) {
	const most = 4
	if end := s.fractionEnd(s.at, most); end > 0 {
		m.longer(match{end: end, style: escaped})
	}
	whole := s.digitsEnd(s.at, most)
	r, size := s.runeAt(whole)
	if whole == s.at || r != '-' && r != ' ' && r != '\u00A0' {
		return
	}
	if end := s.fractionEnd(whole+size, most); end > 0 {
		token := strings.ReplaceAll(escape(s.slice(s.at, end)), " ", "\u00A0")
		m.longer(match{end: end, token: token})
	}
}

// fractionEnd returns the end of a fraction without a whole part, or 0.
func (s *scanner) fractionEnd(i, most int) int {
	slash := s.digitsEnd(i, most)
	if slash == i {
		return 0
	}
	next := slash
	if s.byteAt(next) == '\\' {
		next++
	}
	switch r, size := s.runeAt(next); {
	case r == '/', r == '\u2044' && next == slash:
		next += size
	default:
		return 0
	}
	if end := s.digitsEnd(next, most); end > next {
		return end
	}
	return 0
}

// phone tries a telephone number: groups of digits behind an area code, by
// spaces or hyphens ("555 123 4567", "(555) 123-4567") or by points.
func (s *scanner) phone(m *match) {
	c := s.byteAt(s.at)
	if c != '(' && c != '+' && !isASCIIDigit(c) {
		return
	}
	if c == '(' {
		if end := s.digitGroup(s.at+1, 2, 3); end > 0 && s.byteAt(end) == ')' {
			s.subscriber(m, end+1+s.separator(end+1, " "))
		}
		return
	}
	i := s.at
	for i < s.at+2 && s.byteAt(i) == '+' {
		i++
	}
	s.dottedPhone(m, i)
	// A country code, which may be left out, and an area code.
	for groups := 1; groups <= 2; groups++ {
		end := s.digitGroup(i, 2, 4)
		n := s.separator(end, "- ")
		if end == 0 || n == 0 {
			return
		}
		i = end + n
		s.subscriber(m, i)
	}
}

// subscriber tries the rest of a telephone number: 3 or 4 digits, then 3 to 5,
// which may be joined.
func (s *scanner) subscriber(m *match, i int) {
	for most := 3; most <= 4; most++ {
		end := s.digitGroup(i, most, most)
		if end == 0 {
			return
		}
		if last := s.digitGroup(end+s.separator(end, "- "), 3, 5); last > 0 {
			m.longer(match{end: last, style: spaced})
		}
	}
}

// dottedPhone tries 555.123.4567 with or without a country code.
func (s *scanner) dottedPhone(m *match, i int) {
	var ends []int
	for len(ends) < 4 {
		end := s.digitGroup(i, 2, 5)
		if end == 0 {
			break
		}
		ends = append(ends, end-i)
		i = end
		if s.byteAt(i) != '.' {
			break
		}
		i++
	}
	n := len(ends)
	if n < 3 {
		return
	}
	last, middle, area := ends[n-1], ends[n-2], ends[n-3]
	if last >= 3 && middle >= 3 && middle <= 4 && area <= 4 && (n == 3 || ends[0] <= 4) {
		m.longer(match{end: i, style: spaced})
	}
}

// digitGroup returns the end of least to most ASCII digits at i, or 0.
func (s *scanner) digitGroup(i, least, most int) int {
	end := i
	for end < i+most && isASCIIDigit(s.byteAt(end)) {
		end++
	}
	if end < i+least {
		return 0
	}
	return end
}

// separator returns the length of one of the separators at i, or 0. A no-break
// space counts as a space.
func (s *scanner) separator(i int, of string) int {
	r, size := s.runeAt(i)
	if r == '\u00A0' {
		r = ' '
	}
	if i < len(s.view) && strings.ContainsRune(of, r) {
		return size
	}
	return 0
}
