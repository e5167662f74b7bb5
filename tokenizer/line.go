package tokenizer

import (
	"slices"
	"strings"
	"unicode"
)

// Line returns what a model wrote as ids, as one line: white space becomes single
// spaces, a character that a length limit cut in two is left out, and so are GPT-2's
// end tokens.
func (t *BPE) Line(ids []int) string {
	if end, ok := t.ID("<|endoftext|>"); ok {
		ids = slices.DeleteFunc(slices.Clone(ids), func(id int) bool { return id == end })
	}
	text := strings.ToValidUTF8(t.Decode(ids), "")
	blank := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	return strings.Join(strings.FieldsFunc(text, blank), " ")
}
