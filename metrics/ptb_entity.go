package metrics

import "strings"

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
