package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// What the readers take at most. CLIP's list of merges, the longest file in use, has
// 262,145 lines and 3 MB.
const (
	maxFileBytes = 8 << 20
	maxEntries   = 300_000
)

// readAll reads a file that is not over maxFileBytes.
func readAll(r io.Reader) ([]byte, error) {
	var data bytes.Buffer
	n, err := data.ReadFrom(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if n > maxFileBytes {
		return nil, fmt.Errorf("over the limit of %d MiB", maxFileBytes>>20)
	}
	return data.Bytes(), nil
}

// readVocab reads one flat JSON object, token → id, and returns id → token.
func readVocab(r io.Reader) ([]string, error) {
	data, err := readAll(r)
	if err != nil {
		return nil, err
	}
	ids, err := parseVocab(data)
	if err != nil {
		return nil, err
	}
	tokens := make([]string, len(ids))
	taken := make([]bool, len(ids))
	lines := make(map[string]int, len(ids))
	for _, e := range ids {
		if first, ok := lines[e.token]; ok {
			return nil, fmt.Errorf("line %d: token %q is on line %d already", e.line, e.token, first)
		}
		lines[e.token] = e.line
		if e.id < 0 || e.id >= int64(len(ids)) {
			return nil, fmt.Errorf("line %d: token %q has id %d, but %d tokens have ids 0 to %d", e.line, e.token, e.id, len(ids), len(ids)-1)
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

// parseVocab returns the members of the object in their order.
func parseVocab(data []byte) ([]vocabEntry, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	line, counted := 1, int64(0)
	here := func() int {
		at := min(dec.InputOffset(), int64(len(data)))
		line += bytes.Count(data[counted:at], []byte{'\n'})
		counted = at
		return line
	}
	if first, err := dec.Token(); err != nil || first != json.Delim('{') {
		return nil, fmt.Errorf("line %d: want one JSON object, token → id", here())
	}
	entries := make([]vocabEntry, 0, min(bytes.Count(data, []byte{':'}), maxEntries))
	for dec.More() {
		token, err := dec.Token() // a key, so a string
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", here(), err)
		}
		value, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", here(), err)
		}
		number, ok := value.(json.Number)
		id, err := number.Int64()
		if !ok || err != nil {
			return nil, fmt.Errorf("line %d: token %q has id %v, want a whole number", here(), token, value)
		}
		if len(entries) == maxEntries {
			return nil, fmt.Errorf("line %d: more than %d tokens", here(), maxEntries)
		}
		entries = append(entries, vocabEntry{token.(string), id, here()})
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("line %d: the object has no end: %w", here(), err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("line %d: more follows the object", here())
	}
	return entries, nil
}

// mergeLine is one line of a list of merges.
type mergeLine struct {
	parts  [2]string
	number int // in the file, from 1
}

// readMerges reads a list of merges: two tokens and a space between on each line.
// A first line that names a version is no merge, and blank lines are none either.
func readMerges(r io.Reader) ([]mergeLine, error) {
	data, err := readAll(r)
	if err != nil {
		return nil, err
	}
	count := bytes.Count(data, []byte{'\n'})
	if count > maxEntries {
		return nil, fmt.Errorf("%d lines, more than %d", count, maxEntries)
	}
	lines := make([]mergeLine, 0, count+1)
	number := 0
	for text := range strings.Lines(string(data)) {
		number++
		text = strings.TrimRight(text, "\r\n")
		if text == "" || number == 1 && strings.Contains(text, "#version") {
			continue
		}
		left, right, ok := strings.Cut(text, " ")
		if !ok || left == "" || right == "" || strings.Contains(right, " ") {
			return nil, fmt.Errorf("line %d: %.80q is not two tokens with a space between", number, text)
		}
		lines = append(lines, mergeLine{[2]string{left, right}, number})
	}
	return lines, nil
}
