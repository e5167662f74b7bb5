package tokenizer

import (
	"fmt"
	"iter"
	"slices"
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
//
// RoBERTa: <s>, <pad>, </s> and <unk> as the ids 0 to 3, then GPT2's bytes and merges,
// and <mask> as the largest id; at least 261.
func Train(style Style, corpus iter.Seq[string], size int) (*BPE, error) {
	var base, before, behind []string // the markers before and behind all others
	switch style {
	case GPT2:
		base, behind = gpt2Bytes(), []string{clipEnd}
	case CLIP:
		base, behind = clipBytes(), []string{clipStart, clipEnd}
	case RoBERTa:
		base, before, behind = gpt2Bytes(), []string{"<s>", "<pad>", "</s>", "<unk>"}, []string{"<mask>"}
	default:
		return nil, fmt.Errorf("train tokenizer: style %q, want %q, %q or %q", style, GPT2, CLIP, RoBERTa)
	}
	smallest := len(base) + len(before) + len(behind)
	if size < smallest || size > maxEntries {
		return nil, fmt.Errorf("train tokenizer: size %d, want %d to %d for style %s", size, smallest, maxEntries, style)
	}
	l, err := newLearner(base, countPieces(style, corpus), style == CLIP)
	if err != nil {
		return nil, fmt.Errorf("train tokenizer: %w", err)
	}
	for _, marker := range slices.Concat(before, behind) {
		l.known[marker] = true // no merge may make one
	}
	for range size - smallest {
		if !l.step() {
			break
		}
	}
	return build(slices.Concat(before, l.tokens, behind), l.merges)
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
		if style != CLIP {
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
