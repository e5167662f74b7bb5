package metrics

import "strings"

// names tries addresses, file names and handles.
func (s *scanner) names(m *match) {
	end := s.run(s.at, func(c byte) bool { return !isSpace(c) })
	rest := s.view[s.at:end]
	if strings.Contains(rest, "://") {
		s.fullURL(m, rest)
	}
	if strings.Contains(rest, ".") {
		s.likelyURL(m, rest)
		s.fileName(m)
	}
	if strings.Contains(rest, "@") {
		s.email(m, rest)
	}
	if c := s.byteAt(s.at); c == '@' || c == '#' {
		if next := s.byteAt(s.at + 1); isASCIILetter(next) || next == '_' {
			m.longer(match{end: s.run(s.at+1, func(c byte) bool { return isAlphanumeric(c) || c == '_' })})
		}
	}
}

// fullURL tries an address with its scheme.
func (s *scanner) fullURL(m *match, rest string) {
	for _, scheme := range [...]string{"http://", "https://"} {
		if !s.hasFold(s.at, scheme) {
			continue
		}
		body := rest[len(scheme):]
		if i := strings.IndexAny(body, "\"<>|(){}"); i >= 0 {
			body = body[:i]
		}
		// It ends in no mark, and has two characters at least.
		if body = strings.TrimRight(body, ".!?,-"); len(body) > 1 {
			m.longer(match{end: s.at + len(scheme) + len(body), style: escaped})
		}
	}
}

// likelyURL tries an address that says what it is by www or its domain, and the
// path behind it.
func (s *scanner) likelyURL(m *match, rest string) {
	end := wwwEnd(rest)
	if end == 0 {
		end = domainEnd(rest)
	}
	if end == 0 {
		return
	}
	m.longer(match{end: s.at + end, style: escaped})
	path := rest[end:]
	if !strings.HasPrefix(path, "/") {
		return
	}
	if i := strings.IndexAny(path, "\"<>|()"); i >= 0 {
		path = path[:i]
	}
	if path = strings.TrimRight(path, ".!?{},-"); len(path) > 2 {
		m.longer(match{end: s.at + end + len(path), style: escaped})
	}
}

// wwwEnd returns the end of www.NAME.….XX with 2 to 4 letters at its end, or 0.
func wwwEnd(rest string) int {
	const www = "www."
	if len(rest) < len(www) || !strings.EqualFold(rest[:len(www)], www) {
		return 0
	}
	end := 0
	for i := len(www); ; {
		n := strings.IndexAny(rest[i:], "\"<>|.!?(){},")
		if n <= 0 || rest[i+n] != '.' {
			return end
		}
		i += n + 1
		last := i
		for last < len(rest) && last < i+4 && isASCIILetter(rest[last]) {
			last++
		}
		if last >= i+2 {
			end = last
		}
	}
}

// domainEnd returns the end of NAME.….com, net, org or edu, or 0. The names are
// of small letters: the lexer's own class leaves capitals and digits out.
func domainEnd(rest string) int {
	end := 0
	for i := 0; ; {
		n := 0
		for i+n < len(rest) && rest[i+n] > '_' && rest[i+n] != '`' && strings.IndexByte("{}|", rest[i+n]) < 0 {
			n++
		}
		if n == 0 || i+n >= len(rest) || rest[i+n] != '.' {
			return end
		}
		i += n + 1
		for _, domain := range [...]string{"com", "net", "org", "edu"} {
			if len(rest) >= i+3 && strings.EqualFold(rest[i:i+3], domain) {
				end = i + 3
			}
		}
	}
}

// email tries an address of mail, which ends in no mark.
func (s *scanner) email(m *match, rest string) {
	if !isAlphanumeric(rest[0]) {
		return
	}
	if i := strings.IndexAny(rest, "\"<>|(){}"); i >= 0 {
		rest = rest[:i]
	}
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return
	}
	if host := strings.TrimRight(rest[at+1:], ".,;:[]"); host != "" {
		m.longer(match{end: s.at + at + 1 + len(host)})
	}
}

// fileName tries a name with one of the endings that the lexer knows.
func (s *scanner) fileName(m *match) {
	end := s.run(s.at, isAlphanumeric)
	for end > s.at {
		c := s.byteAt(end)
		if c != '-' && c != '.' && c != '_' && c != '/' {
			return
		}
		next := s.run(end+1, isAlphanumeric)
		if next == end+1 {
			return
		}
		after := s.byteAt(next)
		if c == '.' && isFileEnding(s.view[end+1:next]) && (isSpace(after) || strings.IndexByte(".?!,", after) >= 0) {
			m.longer(match{end: next, reach: next + 1})
		}
		end = next
	}
}

func isFileEnding(w string) bool {
	switch strings.ToLower(w) {
	case "bat", "bmp", "c", "class", "cgi", "cpp", "dll", "doc", "docx", "exe", "gif", "gz", "h", "htm",
		"html", "jar", "java", "jpeg", "jpg", "mov", "mp3", "pdf", "php", "pl", "png", "ppt", "ps", "py",
		"sql", "tar", "txt", "wav", "x", "xml", "zip":
		return true
	}
	return false
}
