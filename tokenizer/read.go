package tokenizer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// The names of the two files of a tokenizer in Hugging Face's layout, and the
// bounds of what the readers take. CLIP's lists, the longest, have 262,145 lines
// and 3 MB.
const (
	vocabFile  = "vocab.json"
	mergesFile = "merges.txt"

	maxFileBytes = 64 << 20
	maxEntries   = 4 << 20
)

// Open reads vocab.json and merges.txt of a folder in Hugging Face's layout, of
// GPT-2, RoBERTa or CLIP. The style shows in the files: CLIP's vocabulary has
// <|startoftext|> and words that end in </w>, RoBERTa's has <s>, </s> and <pad>.
func Open(dir string) (*BPE, error) {
	vocab, err := os.Open(filepath.Join(dir, vocabFile))
	if err != nil {
		return nil, fmt.Errorf("open tokenizer: %w", err)
	}
	defer vocab.Close()
	merges, err := os.Open(filepath.Join(dir, mergesFile))
	if err != nil {
		return nil, fmt.Errorf("open tokenizer: %w", err)
	}
	defer merges.Close()
	t, err := Read(vocab, merges)
	if err != nil {
		return nil, fmt.Errorf("open tokenizer in %s: %w", dir, err)
	}
	return t, nil
}

// Read reads a tokenizer from the contents of vocab.json (token → id, the ids
// without gaps) and merges.txt (one pair of tokens a line). It refuses what is not
// a complete byte-level vocabulary with one error that names the file and line.
func Read(vocab, merges io.Reader) (*BPE, error) {
	tokens, err := readVocab(vocab)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", vocabFile, err)
	}
	lines, err := readMerges(merges)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", mergesFile, err)
	}
	return join(tokens, lines, vocabFile, mergesFile)
}

// ReadCLIP reads OpenAI's bpe_simple_vocab_16e6.txt, gzipped as it is published or
// plain. The file holds more merges than CLIP uses: after the line with its name
// the first 49152-256-2 count. The vocabulary follows from them: the bytes, the
// bytes that end a word, the merges, <|startoftext|>, <|endoftext|>.
func ReadCLIP(r io.Reader) (*BPE, error) {
	const file = "bpe_simple_vocab_16e6.txt"
	in := bufio.NewReader(r)
	r = in
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		r = unzipped
	}
	lines, err := readMerges(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	lines = lines[:min(len(lines), 49152-256-2)]
	tokens := clipBytes()
	known := make(map[string]bool)
	for _, token := range append(tokens, clipStart, clipEnd) {
		known[token] = true
	}
	for _, l := range lines {
		token := l.parts[0] + l.parts[1]
		if known[token] {
			return nil, fmt.Errorf("%s: line %d: makes %q, which is in the vocabulary already", file, l.number, token)
		}
		known[token] = true
		tokens = append(tokens, token)
	}
	return join(append(tokens, clipStart, clipEnd), lines, file, file)
}

// clipBytes returns the first 512 tokens of CLIP's vocabulary.
func clipBytes() []string {
	tokens := gpt2Bytes()
	for _, token := range tokens[:256:256] {
		tokens = append(tokens, token+endOfWord)
	}
	return tokens
}

// gpt2Bytes returns the first 256 tokens of GPT-2's vocabulary.
func gpt2Bytes() []string {
	runes := byteRunes()
	tokens := make([]string, 0, 256)
	for _, b := range byteOrder() {
		tokens = append(tokens, string(runes[b]))
	}
	return tokens
}

// join builds the tokenizer and says of an error which file and line it is in.
func join(tokens []string, lines []mergeLine, vocabName, mergesName string) (*BPE, error) {
	merges := make([][2]string, len(lines))
	for i, l := range lines {
		merges[i] = l.parts
	}
	t, err := build(tokens, merges)
	if bad, ok := errors.AsType[*mergeError](err); ok {
		return nil, fmt.Errorf("%s: line %d: %w", mergesName, lines[bad.rank].number, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", vocabName, err)
	}
	return t, nil
}

// readAll reads a file that is not over maxFileBytes.
func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("over the limit of %d MiB", maxFileBytes>>20)
	}
	return data, nil
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
	var entries []vocabEntry
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
	var lines []mergeLine
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
		if len(lines) == maxEntries {
			return nil, fmt.Errorf("line %d: more than %d merges", number, maxEntries)
		}
		lines = append(lines, mergeLine{[2]string{left, right}, number})
	}
	return lines, nil
}
