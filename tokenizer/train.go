package tokenizer

import (
	"fmt"
	"iter"
	"strings"
)

// Train makes a tokenizer of at most size tokens from a corpus, by Sennrich et
// al. (2016): start from the bytes, and again and again merge the two neighbouring
// symbols that are most frequent in the corpus. Of equally frequent pairs that
// with the smaller ids wins, so the same corpus, in whatever order, gives the same
// tokenizer. Training ends early when no pair is left that occurs twice.
//
// GPT2: the 256 bytes in GPT-2's order (id 0 is "!", which the ClipCap family
// never trains: its loss ignores id 0), the merges, <|endoftext|>; at least 257.
//
// CLIP: on cleaned text, the bytes, the bytes that end a word, the merges,
// <|startoftext|>, and <|endoftext|> as the largest id, by which CLIP's text
// encoder finds the place to pool; at least 514.
func Train(style Style, corpus iter.Seq[string], size int) (*BPE, error) {
	var base, markers []string
	switch style {
	case GPT2:
		base, markers = gpt2Bytes(), []string{clipEnd}
	case CLIP:
		base, markers = clipBytes(), []string{clipStart, clipEnd}
	default:
		return nil, fmt.Errorf("train tokenizer: style %q, want %q or %q", style, GPT2, CLIP)
	}
	smallest := len(base) + len(markers)
	if size < smallest || size > maxEntries {
		return nil, fmt.Errorf("train tokenizer: size %d, want %d to %d for style %s", size, smallest, maxEntries, style)
	}
	l, err := newLearner(base, countPieces(style, corpus), style == CLIP)
	if err != nil {
		return nil, fmt.Errorf("train tokenizer: %w", err)
	}
	for range size - smallest {
		if !l.step() {
			break
		}
	}
	return build(append(l.tokens, markers...), l.merges)
}

// countPieces returns how often each piece occurs in the corpus.
func countPieces(style Style, corpus iter.Seq[string]) map[string]int64 {
	counts := make(map[string]int64)
	count := func(piece string) {
		n, ok := counts[piece]
		if !ok {
			piece = strings.Clone(piece) // a key must not hold on to its whole text
		}
		counts[piece] = n + 1
	}
	for text := range corpus {
		if style == GPT2 {
			for len(text) > 0 {
				n := nextGPT2(text)
				count(text[:n])
				text = text[n:]
			}
			continue
		}
		for piece, rest := nextCLIP(clean(text)); piece != ""; piece, rest = nextCLIP(rest) {
			if piece != clipStart && piece != clipEnd {
				count(piece)
			}
		}
	}
	return counts
}
