package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The patterns that cut text into pieces, scanned by hand because Go's regular
// expressions have no look-ahead. Python's regex module, for which they were
// written, means by \s what unicode.IsSpace does.
//
//	GPT-2: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//	CLIP:  <\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
//
// GPT-2's knows capitals from small letters; CLIP's does not.

const (
	clipStart = "<|startoftext|>"
	clipEnd   = "<|endoftext|>"
)

type kind uint8

const (
	other kind = iota // also each byte of invalid UTF-8
	space
	letter
	number
)

// next returns the kind and the length of the first character of a text.
func next(text string) (kind, int) {
	r, n := utf8.DecodeRuneInString(text)
	switch {
	case r == utf8.RuneError && n <= 1:
		return other, n
	case unicode.IsLetter(r):
		return letter, n
	case unicode.IsSpace(r):
		return space, n
	case unicode.IsNumber(r):
		return number, n
	}
	return other, n
}

// run returns the length of the longest start of text that is all of one kind.
func run(text string, want kind) int {
	i := 0
	for i < len(text) {
		k, n := next(text[i:])
		if k != want {
			break
		}
		i += n
	}
	return i
}

// nextGPT2 returns the length of the first piece of a text that is not empty.
func nextGPT2(text string) int {
	if n := contraction(text); n > 0 {
		return n
	}
	lead := 0
	if text[0] == ' ' {
		lead = 1
	}
	if lead < len(text) {
		if k, _ := next(text[lead:]); k != space {
			return lead + run(text[lead:], k)
		}
	}
	n := run(text, space)
	if n == len(text) {
		return n
	}
	// The last white space before a word is left to the word's own piece.
	_, last := utf8.DecodeLastRuneInString(text[:n])
	if n == last {
		return n
	}
	return n - last
}

// contraction returns the length of the English contraction at the start of text,
// or 0.
func contraction(text string) int {
	if text[0] != '\'' {
		return 0
	}
	for _, c := range [...]string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
		if strings.HasPrefix(text, c) {
			return len(c)
		}
	}
	return 0
}

// longS is the one character besides s that matches an s when case is ignored.
const longS = "'ſ"

// nextCLIP returns the first piece of a lower-case text and what follows it, or ""
// where only white space is left.
func nextCLIP(text string) (piece, rest string) {
	text = text[run(text, space):]
	if text == "" {
		return "", ""
	}
	n := lengthCLIP(text)
	return text[:n], text[n:]
}

// lengthCLIP returns the length of the piece at the start of text, which does not
// begin with white space.
func lengthCLIP(text string) int {
	for _, marker := range [...]string{clipStart, clipEnd} {
		if strings.HasPrefix(text, marker) {
			return len(marker)
		}
	}
	if n := contraction(text); n > 0 {
		return n
	}
	if strings.HasPrefix(text, longS) {
		return len(longS)
	}
	k, n := next(text)
	if k == number {
		return n
	}
	return run(text, k)
}
