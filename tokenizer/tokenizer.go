// Package tokenizer turns text into token ids and back with the byte-level
// byte-pair encodings of GPT-2, RoBERTa and CLIP, and trains small ones.
//
// The three share one algorithm. Text is cut into pieces by a pattern, each
// piece becomes its UTF-8 bytes, every byte is one printable character, and
// neighbouring symbols are merged in the order that training found. They differ
// in the pattern, in how the text is cleaned first, and in the vocabulary:
//
//   - GPT-2 (Radford et al., 2019) keeps every byte: Decode(Encode(x)) == x.
//   - RoBERTa (Liu et al., 2019) has GPT-2's merges under other ids, between
//     <s> and </s>.
//   - CLIP (Radford et al., 2021) repairs and lower-cases the text, drops white
//     space, and marks the end of each word with </w>.
package tokenizer

import (
	"fmt"
	"strings"
)

// Style names the family that a tokenizer belongs to.
type Style string

// The styles that this package reads and trains.
const (
	GPT2    Style = "gpt2"
	CLIP    Style = "clip"
	RoBERTa Style = "roberta"
)

// BPE is a byte-level byte-pair tokenizer. It never changes after it was made
// and may be used by many goroutines at once.
type BPE struct {
	style  Style
	tokens []string         // id → token, in the byte alphabet
	ids    map[string]int   // token → id
	pairs  [][2]int32       // the merges by rank, as ids of their two parts
	merges map[uint64]merge // pairKey(left, right) → what it becomes
	bytes  [256]int32       // byte → id of its character
	ends   [256]int32       // CLIP: byte → id of its character + </w>
	text   []string         // id → the bytes it stands for in decoded text

	start, end, pad int // the ids that Context puts around a text
}

// Style returns the family of t.
func (t *BPE) Style() Style { return t.style }

// Size returns the number of tokens; ids run from 0 to Size()-1.
func (t *BPE) Size() int { return len(t.tokens) }

// ID returns the id of a token as it is written in vocab.json ("Ġthe", "the</w>",
// "<|endoftext|>"), and whether there is one.
func (t *BPE) ID(token string) (int, bool) {
	id, ok := t.ids[token]
	return id, ok
}

// Token returns the token of an id as it is written in vocab.json, or "" where
// the vocabulary has no such id.
func (t *BPE) Token(id int) string {
	if id < 0 || id >= len(t.tokens) {
		return ""
	}
	return t.tokens[id]
}

// Encode returns the ids of text without any marker around them. It takes time
// linear in the text but for a logarithm, whatever the text is.
//
// GPT-2 and RoBERTa encode every byte as it stands, valid UTF-8 or not, and give
// "<|endoftext|>" and "<s>" in the text no meaning. CLIP first cleans the text
// as OpenAI's simple_tokenizer.py does (ftfy, HTML entities, white space, lower
// case) and, as there, reads a literal "<|startoftext|>" or "<|endoftext|>" as
// that token.
func (t *BPE) Encode(text string) []int {
	if t.style == CLIP {
		return t.encodeCLIP(clean(text))
	}
	ids := make([]int, 0, len(text)/3+1)
	var m merger
	for len(text) > 0 {
		n := nextGPT2(text)
		ids = m.piece(t, ids, text[:n])
		text = text[n:]
	}
	return ids
}

// encodeCLIP encodes text that is clean already.
func (t *BPE) encodeCLIP(text string) []int {
	ids := make([]int, 0, len(text)/4+1)
	var m merger
	for {
		piece, rest := nextCLIP(text)
		if piece == "" {
			return ids
		}
		if id, ok := t.marker(piece); ok {
			ids = append(ids, id)
		} else {
			ids = m.piece(t, ids, piece)
		}
		text = rest
	}
}

// marker returns the id of a piece that spells CLIP's start or end token.
func (t *BPE) marker(piece string) (int, bool) {
	switch piece {
	case clipStart:
		return t.start, true
	case clipEnd:
		return t.end, true
	}
	return 0, false
}

// Decode returns the text of ids. GPT-2's is exact to the byte, so a cut inside a
// character leaves invalid UTF-8, and its <|endoftext|> is spelled out, as in
// OpenAI's encoder.py. RoBERTa's and CLIP's markers are dropped; CLIP's </w>
// becomes a space and the whole is trimmed. Ids that the vocabulary lacks are
// passed over.
func (t *BPE) Decode(ids []int) string {
	var b strings.Builder
	for _, id := range ids {
		if id >= 0 && id < len(t.text) {
			b.WriteString(t.text[id])
		}
	}
	if t.style == CLIP {
		return strings.TrimSpace(b.String())
	}
	return b.String()
}

// Context returns text as the fixed-length input of CLIP's or RoBERTa's text
// encoder: the start token, the ids of text, the end token, and padding up to
// length (CLIP: 0, RoBERTa: <pad>). Where that is too long it is an error, unless
// truncate asks for the first length ids with the last replaced by the end token,
// as clip.tokenize does. GPT-2 has no such markers, which is an error too.
func (t *BPE) Context(text string, length int, truncate bool) ([]int32, error) {
	if t.style == GPT2 {
		return nil, fmt.Errorf("context: a %s tokenizer has no start and end tokens", t.style)
	}
	if length < 2 {
		return nil, fmt.Errorf("context: length %d has no room for the start and end tokens", length)
	}
	ids := t.Encode(text)
	if len(ids)+2 > length {
		if !truncate {
			return nil, fmt.Errorf("context: the text has %d tokens with start and end, over the limit of %d", len(ids)+2, length)
		}
		ids = ids[:length-2]
	}
	out := make([]int32, length)
	out[0] = int32(t.start)
	for i, id := range ids {
		out[1+i] = int32(id)
	}
	out[1+len(ids)] = int32(t.end)
	for i := len(ids) + 2; i < length; i++ {
		out[i] = int32(t.pad)
	}
	return out, nil
}
