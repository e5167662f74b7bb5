package tokenizer

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"github.com/cutline-go/cutline/tokenizer/internal/fixtext"
)

// clean prepares a text for CLIP as simple_tokenizer.py does: ftfy.fix_text, then
// tidy.
func clean(text string) string { return tidy(fixtext.Fix(text)) }

// tidy is what follows ftfy: HTML entities twice, white space collapsed to single
// blanks and none at the ends, lower case as Python's (final sigma, dotted I).
func tidy(text string) string {
	text = fixtext.UnescapeHTML(fixtext.UnescapeHTML(text))
	text = strings.Join(strings.Fields(text), " ")
	if isASCII(text) {
		return strings.ToLower(text)
	}
	return cases.Lower(language.Und).String(text)
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}
