package metrics

import "strings"

// words tries the patterns of words without hyphens.
func (s *scanner) words(m *match) {
	end := s.wordEnd(s.at)
	if back := assimilated(s.view[s.at:end]); back > 0 {
		m.longer(match{end: end - back, reach: end})
	}
	if n := s.clitic(end); n > 0 {
		m.longer(match{end: end, reach: end + n, style: word})
	}
	s.negated(m)
	m.longer(match{end: end, style: word})
	s.apostropheWords(m)
	s.abbreviations(m)
	// A full stop before a comma belongs to an abbreviation, whatever it is.
	if s.byteAt(end) == '.' && isInSentence(s.byteAt(end+1)) {
		m.longer(match{end: end + 1, reach: end + 2, style: word})
	}
}

// wordEnd returns the end of the word at i: letters and digits, and whole such
// words joined by a full stop or mark ("street.There" is one word).
func (s *scanner) wordEnd(i int) int {
	for {
		i = s.lettersEnd(i)
		c := s.byteAt(i)
		if c != '.' && c != '!' && c != '?' {
			return i
		}
		if r, _ := s.runeAt(i + 1); !isLetter(r) && s.letterEntity(i+1) == 0 {
			return i
		}
		i++
	}
}

// lettersEnd returns the end of the letters and digits at i.
func (s *scanner) lettersEnd(i int) int {
	for i < len(s.view) {
		if r, size := s.runeAt(i); isLetter(r) || isDigit(r) {
			i += size
		} else if size = s.letterEntity(i); size > 0 {
			i += size
		} else {
			break
		}
	}
	return i
}

// assimilated returns how many letters at the end of a word stand for a second
// one ("not" in "cannot"), or 0.
func assimilated(w string) int {
	switch len(w) {
	case 5:
		for _, other := range [...]string{"gonna", "gotta", "lemme", "gimme", "wanna"} {
			if strings.EqualFold(w, other) {
				return 2
			}
		}
	case 6:
		if strings.EqualFold(w, "cannot") {
			return 3
		}
	}
	return 0
}

// clitic returns the length of 's, 'm, 'd, 're, 've or 'll at i, or 0.
func (s *scanner) clitic(i int) int {
	n := s.apostrophe(i)
	if n == 0 {
		return 0
	}
	for _, w := range [...]string{"re", "ve", "ll"} {
		if s.hasFold(i+n, w) {
			return n + len(w)
		}
	}
	if strings.IndexByte("msdMSD", s.byteAt(i+n)) >= 0 {
		return n + 1
	}
	return 0
}

// negation returns the length of n't at i, or 0.
func (s *scanner) negation(i int) int {
	if s.byteAt(i)|0x20 != 'n' {
		return 0
	}
	n := s.apostropheOrAlike(i + 1)
	if n == 0 || s.byteAt(i+1+n)|0x20 != 't' {
		return 0
	}
	return 1 + n + 1
}

// negated tries a word before n't, and n't itself. The word cannot end in n.
func (s *scanner) negated(m *match) {
	end := s.run(s.at, isASCIILetter)
	if begin := end - 1; begin > s.at && s.view[begin-1]|0x20 != 'n' {
		if n := s.negation(begin); n > 0 {
			m.longer(match{end: begin, reach: begin + n})
		}
	}
	if n := s.negation(s.at); n > 0 && !isASCIILetter(s.byteAt(s.at+n)) {
		m.longer(match{end: s.at + n, reach: s.at + n + 1, style: quoted})
	}
}

// clitics tries what begins with an apostrophe and is a word.
func (s *scanner) clitics(m *match) {
	n := s.apostrophe(s.at)
	if n == 0 {
		return
	}
	next := s.at + n
	for _, w := range [...]string{"tis", "twas"} {
		if s.hasFold(next, w) {
			end := next + len(w)
			m.longer(match{end: next + 1, reach: end, style: quoted})
		}
	}
	if c := s.clitic(s.at); c > 0 && !isASCIILetter(s.byteAt(s.at+c)) {
		m.longer(match{end: s.at + c, reach: s.at + c + 1, style: quoted})
	}
	for _, w := range [...]string{"n", "em", "til", "till", "cause"} {
		if !s.hasFold(next, w) {
			continue
		}
		end := next + len(w)
		if w == "n" {
			end += s.apostrophe(end)
		}
		m.longer(match{end: end, style: quoted})
	}
	switch {
	case !isASCIIDigit(s.byteAt(next)) || !isASCIIDigit(s.byteAt(next+1)):
	case s.byteAt(next) >= '2' && s.byteAt(next+1) == '0' && s.byteAt(next+2)|0x20 == 's':
		m.longer(match{end: next + 3, style: quoted}) // '90s
	case isSpace(s.byteAt(next + 2)):
		m.longer(match{end: next + 2, reach: next + 3, style: quoted}) // '95
	}
}

// apostropheWords tries words that keep their apostrophe.
func (s *scanner) apostropheWords(m *match) {
	for _, w := range [...]string{"cap'n", "c'est", "cont'd", "nor'easter", "c'mon", "e'er", "s'mores",
		"ev'ry", "li'l", "nat'l", "l'", "d'", "j'", "dunkin'", "somethin'", "ol'"} {
		if end := s.spelled(w); end > 0 {
			if w == "cont'd" && s.byteAt(end) == '.' {
				end++
			}
			m.longer(match{end: end, style: quoted})
		}
	}
	if end := s.spelled("y'"); end > 0 {
		if r, size := s.runeAt(end); isLetter(r) {
			m.longer(match{end: end, reach: end + size}) // y'all is two
		}
	}
	s.innerApostrophe(m)
}

// spelled returns the end of the word at hand, in any case and with any
// apostrophe for its ', or 0.
func (s *scanner) spelled(w string) int {
	before, after, _ := strings.Cut(w, "'")
	if !s.hasFold(s.at, before) {
		return 0
	}
	i := s.at + len(before)
	n := s.apostrophe(i)
	if n == 0 || !s.hasFold(i+n, after) {
		return 0
	}
	return i + n + len(after)
}

// innerApostrophe tries names and words such as B'Gosh, Shi'ite and O'Neill:
// one capital or n before the apostrophe and two letters or more behind it, or
// a vowel on both sides.
func (s *scanner) innerApostrophe(m *match) {
	i, last := s.at, byte(0)
	for i < len(s.view) {
		r, size := s.runeAt(i)
		if !isLetter(r) {
			break
		}
		i, last = i+size, s.view[i]
	}
	n := s.apostropheOrAlike(i)
	if n == 0 {
		return
	}
	end := i + n
	for end < len(s.view) {
		r, size := s.runeAt(end)
		if !isLetter(r) {
			break
		}
		end += size
	}
	letters, first := end-i-n, s.byteAt(i+n)
	single := i == s.at+1 && (last == 'n' || 'A' <= last && last <= 'Z' && last != 'I' && last != 'Y')
	if single && letters >= 2 {
		m.longer(match{end: end, style: quoted})
	}
	vowels := strings.IndexByte("aeiouyAEIOUY", last) >= 0 &&
		(strings.IndexByte("aeiou", first) >= 0 || 'A' <= first && first <= 'Z')
	if vowels && i > s.at+1 && letters >= 1 {
		m.longer(match{end: end, style: quoted})
	}
}

// isInSentence tells the marks that do not end a sentence.
func isInSentence(c byte) bool { return c == ',' || c == ';' || c == ':' }
