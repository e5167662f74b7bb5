package tokenizer

import (
	"fmt"
	"strings"
)

// mergeError says which merge of the list is wrong, for a reader to name the line.
type mergeError struct {
	rank   int
	reason string
}

func (e *mergeError) Error() string { return e.reason }

// build makes a tokenizer of a complete vocabulary (id → token, all different) and
// its merges in order, each as its two parts. The errors are about the vocabulary, or of type
// *mergeError.
func build(tokens []string, merges [][2]string) (*BPE, error) {
	t := &BPE{
		tokens: tokens,
		ids:    make(map[string]int, len(tokens)),
		pairs:  make([][2]int32, 0, len(merges)),
		merges: make(map[uint64]merge, len(merges)),
	}
	for id, token := range tokens {
		t.ids[token] = id
	}
	made := make([]bool, len(tokens))
	var whole []byte // spares a string for each merge
	for rank, parts := range merges {
		whole = append(append(whole[:0], parts[0]...), parts[1]...)
		id, err := t.addMerge(rank, parts, whole)
		if err != nil {
			return nil, err
		}
		made[id] = true
	}
	t.findStyle(made)
	if err := t.findBytes(); err != nil {
		return nil, err
	}
	t.spellTokens()
	return t, nil
}

// addMerge adds the next merge and returns the id of the whole that it makes.
func (t *BPE) addMerge(rank int, parts [2]string, whole []byte) (int, error) {
	var pair [2]int32
	for i, part := range parts {
		id, ok := t.ids[part]
		if !ok {
			return 0, &mergeError{rank, fmt.Sprintf("merges %q, which is not in the vocabulary", part)}
		}
		pair[i] = int32(id)
	}
	id, ok := t.ids[string(whole)]
	if !ok {
		return 0, &mergeError{rank, fmt.Sprintf("makes %q, which is not in the vocabulary", whole)}
	}
	key := pairKey(pair[0], pair[1])
	if _, ok := t.merges[key]; ok {
		return 0, &mergeError{rank, fmt.Sprintf("merges %q and %q a second time", parts[0], parts[1])}
	}
	t.merges[key] = newMerge(rank, id)
	t.pairs = append(t.pairs, pair)
	return id, nil
}

// findStyle tells the style by the marker tokens: those in the vocabulary that no
// merge makes. Text about HTML can teach a GPT-2 a merged "<s>".
func (t *BPE) findStyle(made []bool) {
	marker := func(token string) (int, bool) {
		id, ok := t.ids[token]
		return id, ok && !made[id]
	}
	t.style = GPT2
	start, hasStart := marker(clipStart)
	end, hasEnd := marker(clipEnd)
	if _, words := t.ids["!"+endOfWord]; hasStart && hasEnd && words {
		t.style, t.start, t.end, t.pad = CLIP, start, end, 0
		return
	}
	start, hasStart = marker("<s>")
	end, hasEnd = marker("</s>")
	pad, hasPad := marker("<pad>")
	if hasStart && hasEnd && hasPad {
		t.style, t.start, t.end, t.pad = RoBERTa, start, end, pad
	}
}

// findBytes fills the ids of the single bytes. All must be there, or some text
// could not be encoded.
func (t *BPE) findBytes() error {
	find := func(token string, id *int32) error {
		found, ok := t.ids[token]
		if !ok {
			return fmt.Errorf("token %q is missing: a byte-level %s vocabulary has one for each of the 256 bytes", token, t.style)
		}
		*id = int32(found)
		return nil
	}
	for b, r := range byteRunes() {
		if err := find(string(r), &t.bytes[b]); err != nil {
			return err
		}
		if t.style != CLIP {
			continue
		}
		if err := find(string(r)+endOfWord, &t.ends[b]); err != nil {
			return err
		}
	}
	return nil
}

// spellTokens fills the text that Decode writes for each id, parts of one string.
func (t *BPE) spellTokens() {
	bytes := runeBytes()
	var all []byte
	ends := make([]int, len(t.tokens))
	for id, token := range t.tokens {
		word, ended := strings.CutSuffix(token, endOfWord)
		switch {
		case t.dropped(id):
		case t.style == CLIP && ended:
			all = append(appendSpelled(all, word, bytes), ' ')
		default:
			all = appendSpelled(all, token, bytes)
		}
		ends[id] = len(all)
	}
	text, begin := string(all), 0
	t.text = make([]string, len(t.tokens))
	for id, end := range ends {
		t.text[id], begin = text[begin:end], end
	}
}

// dropped reports whether an id is a marker that has no place in decoded text.
func (t *BPE) dropped(id int) bool {
	switch t.style {
	case CLIP:
		return id == t.start || id == t.end
	case RoBERTa:
		token := t.tokens[id]
		return id == t.start || id == t.end || id == t.pad || token == "<mask>" || token == "<unk>"
	}
	return false
}
