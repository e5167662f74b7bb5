package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readVocab reads one flat JSON object, token → id, and returns id → token.
func readVocab(r io.Reader) ([]string, error) {
	data, err := readAll(r)
	if err != nil {
		return nil, err
	}
	scan := vocabScanner{text: string(data), line: 1}
	entries, err := scan.object()
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", scan.line, err)
	}
	tokens := make([]string, len(entries))
	taken := make([]bool, len(entries))
	lines := make(map[string]int, len(entries))
	for _, e := range entries {
		if first, ok := lines[e.token]; ok {
			return nil, fmt.Errorf("line %d: token %q is on line %d already", e.line, e.token, first)
		}
		lines[e.token] = e.line
		if e.id < 0 || e.id >= int64(len(entries)) {
			return nil, fmt.Errorf("line %d: token %q has id %d, but %d tokens have ids 0 to %d", e.line, e.token, e.id, len(entries), len(entries)-1)
		}
		if taken[e.id] {
			return nil, fmt.Errorf("line %d: tokens %q and %q share id %d", e.line, tokens[e.id], e.token, e.id)
		}
		tokens[e.id], taken[e.id] = e.token, true
	}
	return tokens, nil
}

// vocabEntry is one member of vocab.json.
type vocabEntry struct {
	token string
	id    int64
	line  int
}

// vocabScanner reads vocab.json, the largest file that a model is opened with but for its
// weights, five times as fast as encoding/json, which tells of neither a member that
// occurs twice nor its line. Tokens are parts of text where they have no escape.
type vocabScanner struct {
	text string // what is left
	line int
}

// object returns the members of the one object in their order.
func (s *vocabScanner) object() ([]vocabEntry, error) {
	if !s.take('{') {
		return nil, errors.New("want one JSON object, token → id")
	}
	entries := make([]vocabEntry, 0, min(strings.Count(s.text, ":"), maxEntries))
	for more := !s.take('}'); more; {
		e, err := s.member()
		if err != nil {
			return nil, err
		}
		if len(entries) == maxEntries {
			return nil, fmt.Errorf("more than %d tokens", maxEntries)
		}
		entries = append(entries, e)
		if more = s.take(','); !more && !s.take('}') {
			return nil, fmt.Errorf("want a comma or the end of the object after token %q", e.token)
		}
	}
	if s.space(); s.text != "" {
		return nil, errors.New("more follows the object")
	}
	return entries, nil
}

func (s *vocabScanner) member() (vocabEntry, error) {
	s.space()
	token, err := s.str()
	if err != nil {
		return vocabEntry{}, err
	}
	if !s.take(':') {
		return vocabEntry{}, fmt.Errorf("want a colon and an id after token %q", token)
	}
	s.space()
	literal := s.cut(strings.IndexAny(s.text, ",} \t\r\n"))
	id, err := strconv.ParseInt(literal, 10, 64)
	if err != nil || strconv.FormatInt(id, 10) != literal { // "+1" and "01" are not JSON
		return vocabEntry{}, fmt.Errorf("token %q has id %.80s, want a whole number", token, literal)
	}
	return vocabEntry{token, id, s.line}, nil
}

// str reads a string.
func (s *vocabScanner) str() (string, error) {
	if !strings.HasPrefix(s.text, `"`) {
		return "", errors.New("want a token in quotes")
	}
	end, plain := 1, true
	for ; end < len(s.text) && s.text[end] != '"'; end++ {
		switch c := s.text[end]; {
		case c == '\\':
			plain = false
			end++ // whatever follows is no closing quote
		case c < ' ':
			return "", errors.New("a token has no closing quote")
		}
	}
	if end >= len(s.text) {
		return "", errors.New("the object has no end")
	}
	literal := s.cut(end + 1)
	if token := literal[1:end]; plain && utf8.ValidString(token) {
		return token, nil
	}
	var token string
	if err := json.Unmarshal([]byte(literal), &token); err != nil {
		return "", fmt.Errorf("token %.80s: %w", literal, err)
	}
	return token, nil
}

// take reads a character behind white space, if it is the next one.
func (s *vocabScanner) take(c byte) bool {
	s.space()
	if s.text == "" || s.text[0] != c {
		return false
	}
	s.text = s.text[1:]
	return true
}

// space reads white space.
func (s *vocabScanner) space() {
	for s.text != "" && strings.IndexByte(" \t\r\n", s.text[0]) >= 0 {
		if s.text[0] == '\n' {
			s.line++
		}
		s.text = s.text[1:]
	}
}

// cut reads n bytes, or all where n is -1.
func (s *vocabScanner) cut(n int) string {
	if n < 0 {
		n = len(s.text)
	}
	part := s.text[:n]
	s.text = s.text[n:]
	return part
}
