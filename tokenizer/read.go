package tokenizer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The names of the two files of a tokenizer in Hugging Face's layout.
const (
	vocabFile  = "vocab.json"
	mergesFile = "merges.txt"
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
